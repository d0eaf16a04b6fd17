//! A view as a page tells of it, and what is kept of it.

use std::collections::HashSet;

use http::Uri;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Characters of a path that are kept at most; what is longer is no page's.
const LONGEST_PATH: usize = 1024;
/// Bytes of a host name at most (RFC 1035).
const LONGEST_HOST: usize = 253;

/// A view of a page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageView {
    /// A UUID of the caller's making: a view that is sent again with it within 24 hours counts once
    #[schema(
        nullable = false,
        pattern = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    )]
    id: Option<String>,
    /// Of the page, from `/` on; a query and a fragment are cut off and not kept
    #[schema(min_length = 1, max_length = 1024, example = "/pricing")]
    path: String,
    /// The page that led there (`document.referrer`); nothing but its host is kept
    #[schema(nullable = false, example = "https://search.example/")]
    referrer: Option<String>,
    /// The document that the page shows
    #[schema(minimum = 1, nullable = false)]
    document_id: Option<i64>,
}

/// What is kept of a view, beside who saw it when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Told twice, it counts once.
    pub(crate) id: Option<Uuid>,
    /// Of a page; none where content was read.
    pub(crate) path: Option<String>,
    pub(crate) document_id: Option<i64>,
    /// Host of the page that led there, unless that is one of the own.
    pub(crate) referrer: Option<String>,
}

/// Reads views; knows which pages are the own.
#[derive(Debug)]
pub(crate) struct Reader {
    own_hosts: HashSet<String>,
}

impl Reader {
    pub(crate) fn new(origins: &[String]) -> Self {
        let hosts = origins.iter().filter_map(|origin| host(origin));
        Self {
            own_hosts: hosts.collect(),
        }
    }

    /// # Errors
    /// A phrase that says why `view`, which is JSON, cannot be counted; it repeats nothing that was sent.
    pub(crate) fn read(&self, view: &str) -> Result<Seen, String> {
        let view: PageView = serde_json::from_str(view).map_err(|error| phrase(&error))?;
        let id = view.id.map(|id| Uuid::try_parse(&id)).transpose();
        let id = id.map_err(|_| "id must be a UUID".to_owned())?;
        if view.document_id.is_some_and(|id| id < 1) {
            return Err("document_id must be a whole number from 1 on".into());
        }
        let referrer = view.referrer.and_then(|referrer| host(&referrer));
        Ok(Seen {
            id,
            path: Some(path(view.path)?),
            document_id: view.document_id,
            referrer: referrer.filter(|host| !self.own_hosts.contains(host)),
        })
    }
}

/// What serde says names members and types; a value that was sent could be anything.
fn phrase(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once('`').filter(|(start, _)| {
        ["missing field ", "duplicate field ", "unknown field "].contains(start)
    }) {
        Some(("missing field ", _)) => "a view needs a path".into(),
        Some(("duplicate field ", _)) => "a view has each member once".into(),
        Some(_) => "a view has id, path, referrer and document_id, and nothing else".into(),
        None => "a view is an object with texts, and a whole number as document_id".into(),
    }
}

fn path(mut path: String) -> Result<String, String> {
    path.truncate(path.find(['?', '#']).unwrap_or(path.len()));
    let is_path = path.starts_with('/') && !path.contains(char::is_control);
    match is_path && path.chars().count() <= LONGEST_PATH {
        true => Ok(path),
        false => Err(format!(
            "path must begin with / and have {LONGEST_PATH} characters at most, none of them a control character"
        )),
    }
}

/// The host of a URL of the web, in lower case; none of anything else.
fn host(url: &str) -> Option<String> {
    let url: Uri = url.split('#').next()?.parse().ok()?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let host = url
        .host()
        .filter(|host| is_web && host.len() <= LONGEST_HOST);
    host.map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(view: &Value) -> Result<Seen, String> {
        Reader::new(&["https://www.globex.example".into()]).read(&view.to_string())
    }

    #[test]
    fn a_member_that_comes_twice_leaves_open_which_is_meant() {
        let read = Reader::new(&[]).read(r#"{"path": "/a", "path": "/b"}"#);
        assert_eq!(read, Err("a view has each member once".into()));
    }

    #[test]
    fn nothing_but_path_document_and_the_referrers_host_is_kept() {
        let seen = read(&json!({
            "path": "/pricing?mail=homer@globex.example#top",
            "referrer": "https://Search.example:8443/?q=homer",
            "document_id": 7,
        }));
        let expected = Seen {
            id: None,
            path: Some("/pricing".into()),
            document_id: Some(7),
            referrer: Some("search.example".into()),
        };
        assert_eq!(seen, Ok(expected));
    }

    #[test]
    fn the_own_pages_and_what_is_no_page_of_the_web_lead_nobody_here() {
        for referrer in [
            "https://www.globex.example/other",
            "android-app://com.slack/",
            "about:blank",
            "",
            "/relative",
            "\u{0}",
        ] {
            let seen = read(&json!({"path": "/", "referrer": referrer}));
            assert_eq!(seen.expect("a view").referrer, None, "{referrer}");
        }
    }

    #[test]
    fn a_view_that_makes_no_sense_is_refused_with_its_reason() {
        let long = format!("/{}", "a".repeat(LONGEST_PATH));
        for (view, reason) in [
            (json!({}), "a view needs a path"),
            (json!({"path": "/", "user": 1}), "a view has id, "),
            (json!({"path": 1}), "a view is an object"),
            (json!([]), "a view "),
            (json!("/"), "a view is an object"),
            (json!({"path": "pricing"}), "path must begin with /"),
            (json!({"path": "?a"}), "path must begin with /"),
            (json!({"path": "/\u{0}"}), "path must begin with /"),
            (json!({"path": long}), "path must begin with /"),
            (json!({"path": "/", "id": "1"}), "id must be a UUID"),
            (json!({"path": "/", "document_id": 0}), "document_id must"),
            (
                json!({"path": "/", "document_id": 1.5}),
                "a view is an object",
            ),
        ] {
            let refusal = read(&view).expect_err("no view");
            assert!(refusal.starts_with(reason), "{view}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_always_within_its_bounds(path in ".{0,40}", referrer in ".{0,60}") {
            if let Ok(seen) = read(&json!({"path": path, "referrer": referrer})) {
                let path = seen.path.expect("of a page");
                prop_assert!(path.starts_with('/') && !path.contains(['?', '#', '\0']));
                let host = seen.referrer.unwrap_or_default();
                prop_assert!(!host.contains(['/', '?', '#', '\0']) && host.len() <= LONGEST_HOST);
            }
        }
    }
}
