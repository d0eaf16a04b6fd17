//! What a token says, once its signature was checked.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// Claims that name the program which a token was given to (RFC 9068, 2.2; OpenID Connect Core 1.0, 2).
const PROGRAM: [&str; 2] = ["client_id", "azp"];

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
        self.clients(claim).contains(&client)
    }

    /// The one client that the claim `claim` names.
    ///
    /// # Errors
    /// [`Error::ClientRefused`] where it names none, [`Error::ClientNeeded`] where it names several.
    pub fn only_client(&self, claim: &str) -> Result<&str, Error> {
        match self.clients(claim)[..] {
            [] => Err(Error::ClientRefused),
            [one] => Ok(one),
            _ => Err(Error::ClientNeeded),
        }
    }

    /// What the claim `claim` is, or has as entries of a list.
    fn clients(&self, claim: &str) -> Vec<&str> {
        if claim == "sub" {
            return vec![&self.sub];
        }
        match self.others.get(claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The person that the token speaks for, by the name that its issuer has for them: its subject,
    /// unless that is the program itself, or the client, as in tokens that a program got for itself
    /// (RFC 9068, 2.2). `claim` is the one that names the client.
    pub fn user(&self, claim: &str) -> Option<&str> {
        let programs = PROGRAM
            .iter()
            .filter_map(|it| self.others.get(*it)?.as_str());
        let itself = programs.chain(self.clients(claim)).any(|it| it == self.sub);
        (!itself && !self.sub.is_empty()).then_some(&self.sub)
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

    #[test]
    fn where_nothing_else_names_a_client_the_claim_must_name_one_alone() {
        let only = |value: Value| {
            let claims = claims(json!({"client_id": value}));
            let found = claims.only_client("client_id").map(str::to_owned);
            found.map_err(|error| error.to_string())
        };
        assert_eq!(only(json!("globex")), Ok("globex".to_owned()));
        assert_eq!(only(json!(["globex"])), Ok("globex".to_owned()));
        for none in [json!([]), json!(null), json!(1), json!([1])] {
            let refused = "the token does not open this client".to_owned();
            assert_eq!(only(none), Err(refused));
        }
        let several = only(json!(["globex", "initech"])).expect_err("several");
        assert!(several.contains("X-Client is needed"), "{several}");
    }

    #[test]
    fn a_program_that_speaks_for_itself_is_no_user() {
        for (more, claim, is_user) in [
            (json!({"client_id": "globex"}), "client_id", true),
            (json!({"client_id": "somebody"}), "client_id", false),
            (
                json!({"client_id": "somebody", "org": "globex"}),
                "org",
                false,
            ),
            (json!({"azp": "somebody", "org": "globex"}), "org", false),
            (json!({"azp": "portal", "org": "globex"}), "org", true),
            (json!({"org": ["globex", "somebody"]}), "org", false),
            (json!({}), "sub", false),
        ] {
            let claims = claims(more);
            let user = claims.user(claim);
            assert_eq!(user, is_user.then_some("somebody"), "{claims:?}");
        }
    }
}
