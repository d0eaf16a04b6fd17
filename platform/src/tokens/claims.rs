//! What a token says, once its signature was checked.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// The claims that decide anything; `iss`, `aud`, `exp` and `nbf` were checked before.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// Who the caller is; that a token has it was checked, too.
    #[serde(default)]
    pub sub: String,
    /// Scopes, apart by spaces (RFC 8693, 4.2).
    #[serde(default)]
    scope: Option<String>,
    /// The same as a list, as some issuers have it.
    #[serde(default)]
    scp: Option<Scp>,
    #[serde(flatten)]
    others: HashMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scp {
    List(Vec<String>),
    Text(String),
}

impl Claims {
    /// Every scope that the token has.
    pub fn scopes(&self) -> Vec<String> {
        let apart = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut scopes = self.scope.as_deref().map(apart).unwrap_or_default();
        scopes.extend(match &self.scp {
            None => Vec::new(),
            Some(Scp::List(list)) => list.clone(),
            Some(Scp::Text(text)) => apart(text),
        });
        scopes
    }

    /// Whether the claim `claim` is `client`, or is a list that has it.
    pub fn opens(&self, claim: &str, client: &str) -> bool {
        let own = Value::String(self.sub.clone());
        let value = match claim {
            "sub" => Some(&own),
            claim => self.others.get(claim),
        };
        match value {
            Some(Value::String(one)) => one == client,
            Some(Value::Array(list)) => list.iter().any(|one| one == client),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(mut more: Value) -> Claims {
        more["sub"] = json!("somebody");
        serde_json::from_value(more).expect("claims")
    }

    #[test]
    fn scopes_come_as_text_or_as_a_list() {
        for (claim, expected) in [
            (json!({}), &[][..]),
            (json!({"scope": "a:read a:write"}), &["a:read", "a:write"]),
            (
                json!({"scp": ["a:read", "a:write"]}),
                &["a:read", "a:write"],
            ),
            (json!({"scp": "a:read a:write"}), &["a:read", "a:write"]),
        ] {
            assert_eq!(claims(claim).scopes(), expected);
        }
    }

    #[test]
    fn a_client_is_named_by_the_whole_value_of_the_claim_or_of_an_entry() {
        for (value, opens) in [
            (json!("globex"), true),
            (json!(["initech", "globex"]), true),
            (json!("globexx"), false),
            (json!("globex initech"), false),
            (json!([["globex"]]), false),
            (json!({"globex": true}), false),
            (json!([]), false),
            (json!(null), false),
            (json!(1), false),
        ] {
            let claims = claims(json!({"client_id": value}));
            assert_eq!(claims.opens("client_id", "globex"), opens, "{claims:?}");
        }
        assert!(claims(json!({})).opens("sub", "somebody"));
        assert!(!claims(json!({})).opens("client_id", ""));
    }
}
