//! Which client asks for a token: its name and its API key, by HTTP Basic (RFC 6749, 2.3.1), or the key in
//! the header that every other route has it in, and the name as `client_id`.

use std::sync::Arc;

use docket_contract::API_KEY_HEADER;
use headers::authorization::Basic;
use headers::{Authorization, HeaderMapExt as _};
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

use super::problem::TokenProblem;
use crate::middleware::auth::Actor;
use crate::tenant::{Client, Tenant};

/// A client's name and its key, which nobody has checked yet.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    name: String,
    key: Vec<u8>,
}

/// The client, and who asks.
///
/// # Errors
/// The same for a client that does not exist and for a key that is not its own.
pub(super) fn authenticate(
    tenant: &Tenant,
    headers: &HeaderMap,
    client_id: Option<&str>,
) -> Result<(Arc<Client>, Actor), TokenProblem> {
    let sent = sent(headers, client_id)?;
    let known = tenant.authenticate(Some(&sent.name), Some(&sent.key));
    known.map_err(|_| TokenProblem::InvalidClient)
}

fn sent(headers: &HeaderMap, client_id: Option<&str>) -> Result<Sent, TokenProblem> {
    let in_header = headers.get(API_KEY_HEADER);
    let by_basic = headers.contains_key(header::AUTHORIZATION);
    let sent = match (in_header, by_basic) {
        (Some(_), true) => {
            let why = "the client shows who it is in two ways; use one";
            return Err(TokenProblem::InvalidRequest(why.to_owned()));
        }
        (Some(key), false) => Sent {
            name: client_id.ok_or(TokenProblem::InvalidClient)?.to_owned(),
            key: key.as_bytes().to_vec(),
        },
        (None, _) => basic(headers).ok_or(TokenProblem::InvalidClient)?,
    };
    match client_id.is_some_and(|named| named != sent.name) {
        true => Err(TokenProblem::InvalidClient),
        false => Ok(sent),
    }
}

/// Both are encoded as in a form before they are joined.
fn basic(headers: &HeaderMap) -> Option<Sent> {
    let Authorization(basic) = headers.typed_get::<Authorization<Basic>>()?;
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    Some(Sent {
        name: String::from_utf8(decoded(basic.username())).ok()?,
        key: decoded(basic.password()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(list: &[(&'static str, HeaderValue)]) -> HeaderMap {
        let named = |(name, value): &(&'static str, HeaderValue)| {
            (name.parse().expect("a name"), value.clone())
        };
        list.iter().map(named).collect()
    }

    fn basic_of(name: &str, password: &str) -> (&'static str, HeaderValue) {
        let mut headers = HeaderMap::new();
        headers.typed_insert(Authorization::basic(name, password));
        ("authorization", headers[header::AUTHORIZATION].clone())
    }

    #[test]
    fn a_name_and_a_key_come_by_basic_or_each_in_its_place() {
        let key = ("x-api-key", HeaderValue::from_static("dk_1+2"));
        for (list, client_id, sent_key) in [
            (vec![basic_of("globex", "dk_1")], None, "dk_1"),
            (
                vec![basic_of("globex", "a%3Ab%2Bc+d:e")],
                Some("globex"),
                "a:b+c d:e",
            ),
            (vec![key], Some("globex"), "dk_1+2"),
        ] {
            let expected = Sent {
                name: "globex".into(),
                key: sent_key.into(),
            };
            assert_eq!(sent(&headers(&list), client_id).ok(), Some(expected));
        }
    }

    #[test]
    fn what_proves_no_client_is_refused() {
        let key = ("x-api-key", HeaderValue::from_static("dk_1"));
        let bearer = ("authorization", HeaderValue::from_static("Bearer a.b.c"));
        for (what, list, client_id, problem) in [
            ("nothing", vec![], Some("globex"), "InvalidClient"),
            ("a key of nobody", vec![key.clone()], None, "InvalidClient"),
            ("a token", vec![bearer], Some("globex"), "InvalidClient"),
            (
                "another's name",
                vec![basic_of("globex", "k")],
                Some("initech"),
                "InvalidClient",
            ),
            (
                "two ways",
                vec![basic_of("globex", "k"), key],
                None,
                "InvalidRequest",
            ),
        ] {
            let refused = sent(&headers(&list), client_id).expect_err(what);
            assert!(
                format!("{refused:?}").starts_with(problem),
                "{what}: {refused:?}"
            );
        }
    }
}
