//! The parameters of a request for a token (RFC 6749, 4.4.2).

use std::collections::HashMap;

use http::{HeaderMap, header};

use super::Scopes;
use super::problem::TokenProblem;

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT_TYPE: &str = "client_credentials";

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenRequest {
    /// Its name, where it does not stand beside its key.
    pub(super) client_id: Option<String>,
    /// What the token shall let its bearer do: one at least, none twice.
    pub(super) scopes: Vec<String>,
}

impl TokenRequest {
    /// What `body` asks for, of what there is.
    pub(super) fn read(
        headers: &HeaderMap,
        body: &[u8],
        there_are: &Scopes,
    ) -> Result<Self, TokenProblem> {
        let mut parameters = parameters(headers, body)?;
        match parameters.remove("grant_type").as_deref() {
            Some(GRANT_TYPE) => {}
            Some(_) => return Err(TokenProblem::UnsupportedGrantType),
            None => {
                let why = "the parameter grant_type is missing";
                return Err(TokenProblem::InvalidRequest(why.to_owned()));
            }
        }
        let wanted = parameters.remove("scope").unwrap_or_default();
        Ok(Self {
            client_id: parameters.remove("client_id"),
            scopes: scopes(&wanted, there_are)?,
        })
    }
}

/// Those with a value: one without counts as left out (RFC 6749, 3.2).
fn parameters(headers: &HeaderMap, body: &[u8]) -> Result<HashMap<String, String>, TokenProblem> {
    let sent_as = headers.get(header::CONTENT_TYPE);
    let sent_as = sent_as.and_then(|value| value.to_str().ok());
    let sent_as = sent_as.and_then(|value| value.split(';').next());
    if !sent_as.is_some_and(|value| value.trim().eq_ignore_ascii_case(FORM)) {
        let why = format!("the body must be sent as {FORM}");
        return Err(TokenProblem::InvalidRequest(why));
    }
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if value.is_empty() {
            continue;
        }
        // What is not known is passed over, but for how often it is there.
        if parameters
            .insert(name.to_string(), value.into_owned())
            .is_some()
        {
            let known = ["grant_type", "scope", "client_id"];
            let named = known.into_iter().find(|known| *known == name);
            let why = named.map_or_else(
                || "a parameter is there more than once".to_owned(),
                |name| format!("the parameter {name} is there more than once"),
            );
            return Err(TokenProblem::InvalidRequest(why));
        }
    }
    Ok(parameters)
}

/// A token does what it was asked for and nothing else: none is handed out that nobody named.
fn scopes(wanted: &str, there_are: &Scopes) -> Result<Vec<String>, TokenProblem> {
    let there_are = &there_are.0;
    let mut scopes: Vec<String> = Vec::new();
    for scope in wanted.split(' ').filter(|scope| !scope.is_empty()) {
        // Only what is known is said back.
        let Some(known) = there_are.iter().find(|known| *known == scope) else {
            let why = format!("there is no such scope; there are {}", there_are.join(", "));
            return Err(TokenProblem::InvalidScope(why));
        };
        if !scopes.contains(known) {
            scopes.push(known.clone());
        }
    }
    match scopes.is_empty() {
        true => Err(TokenProblem::InvalidScope(format!(
            "name the scopes that the token needs, apart by spaces: there are {}",
            there_are.join(", ")
        ))),
        false => Ok(scopes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(media_type: &'static str, body: &str) -> Result<TokenRequest, String> {
        let there_are = ["a:read", "a:write"].map(str::to_owned);
        let media_type = HeaderValue::from_static(media_type);
        let headers = [(header::CONTENT_TYPE, media_type)].into_iter().collect();
        let request = TokenRequest::read(&headers, body.as_bytes(), &Scopes(there_are.into()));
        request.map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn a_request_names_scopes_that_there_are() {
        for (body, scopes, client) in [
            (
                "grant_type=client_credentials&scope=a:read",
                &["a:read"][..],
                None,
            ),
            (
                "scope=a%3Aread+a%3Awrite+a:read&grant_type=client_credentials&client_id=globex",
                &["a:read", "a:write"],
                Some("globex"),
            ),
            (
                "grant_type=client_credentials&scope=a:read&client_id=&resource=x",
                &["a:read"],
                None,
            ),
        ] {
            let expected = TokenRequest {
                client_id: client.map(str::to_owned),
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            };
            for media_type in [FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8"] {
                assert_eq!(read(media_type, body), Ok(expected.clone()), "{body}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_the_words_of_the_standard() {
        for (body, problem) in [
            ("", "InvalidRequest"),
            ("scope=a:read", "InvalidRequest"),
            ("grant_type=password&scope=a:read", "UnsupportedGrantType"),
            ("grant_type=client_credentials", "InvalidScope"),
            ("grant_type=client_credentials&scope=", "InvalidScope"),
            ("grant_type=client_credentials&scope=a:rea", "InvalidScope"),
            (
                "grant_type=client_credentials&scope=a:read%09a:write",
                "InvalidScope",
            ),
            (
                "grant_type=client_credentials&scope=a:read&scope=a:read",
                "InvalidRequest",
            ),
            (
                "grant_type=client_credentials&scope=a:read&x=1&x=1",
                "InvalidRequest",
            ),
        ] {
            let refused = read(FORM, body).expect_err(body);
            assert!(refused.starts_with(problem), "{body}: {refused}");
        }
        let refused = read(
            "application/json",
            "grant_type=client_credentials&scope=a:read",
        );
        assert!(refused.expect_err("no form").starts_with("InvalidRequest"));
    }
}
