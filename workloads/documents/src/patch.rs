//! What a PATCH changes of a document: a JSON Merge Patch (RFC 7396).

use docket_platform::error::Error;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::tags::{Tag, tags};
use super::{Document, Filename};

/// Most members that a sentence names.
const NAMED: usize = 5;

/// The members to change; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(as = DocumentPatch)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    /// The new name; what counts is what follows the last separator of a path, and can be seen.
    #[schema(
        value_type = Option<String>, nullable = false, min_length = 1, max_length = 255, example = "offer.txt",
        // Something is left of it that is neither `.` nor `..`, as `Filename` has it.
        pattern = r"([^/\\\s.\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\.[^/\\]*\.[^/\\]*\.|\.[^/\\]*[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000][^/\\]*\.)[^/\\]*$"
    )]
    filename: Option<Filename>,
    /// All tags from now on, each of 1 to 64 characters; null for none.
    #[schema(value_type = Option<Vec<Tag>>, max_items = 50, example = json!(["offer"]))]
    tags: Option<Vec<String>>,
    /// While it is true, the document cannot be deleted.
    #[schema(nullable = false)]
    legal_hold: Option<bool>,
}

/// What a document is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) filename: String,
    pub(super) tags: Vec<String>,
    pub(super) legal_hold: bool,
    /// The name is another, so that it must be found by that.
    pub(super) is_renamed: bool,
}

impl Patch {
    /// Whether it sets or lifts a legal hold, or would leave it as it is.
    pub(super) fn names_legal_hold(&self) -> bool {
        self.legal_hold.is_some()
    }

    /// # Errors
    /// [`Error::BadRequest`] for what is not JSON, [`Error::Unprocessable`] that names a member which
    /// cannot be changed, or not like this.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Error> {
        let value = serde_json::from_slice(body)
            .map_err(|error| Error::BadRequest(format!("the body is not JSON: {error}")))?;
        let Value::Object(members) = value else {
            let sentence = "the body must be a JSON object with the members to change";
            return Err(Error::Unprocessable(sentence.into()));
        };
        refuse_others(&members)?;
        let get = |name| members.get(name);
        Ok(Self {
            filename: get("filename").map(filename).transpose()?,
            tags: get("tags").map(tag_list).transpose()?,
            legal_hold: get("legal_hold").map(legal_hold).transpose()?,
        })
    }

    /// `None` when `document` is so already.
    pub(super) fn apply(&self, document: &Document) -> Option<Changed> {
        let filename = self.filename.as_ref().map(Filename::as_str);
        let filename = filename.unwrap_or(&document.filename);
        let tags = self.tags.as_ref().unwrap_or(&document.tags);
        let legal_hold = self.legal_hold.unwrap_or(document.legal_hold);
        let is_renamed = filename != document.filename;
        let is_changed = is_renamed || *tags != document.tags || legal_hold != document.legal_hold;
        is_changed.then(|| Changed {
            filename: filename.to_owned(),
            tags: tags.clone(),
            legal_hold,
            is_renamed,
        })
    }
}

fn refuse_others(members: &Map<String, Value>) -> Result<(), Error> {
    let others = members
        .keys()
        .filter(|name| !matches!(name.as_str(), "filename" | "tags" | "legal_hold"));
    let others: Vec<String> = others
        .take(NAMED)
        .map(|name| format!("{:?}", name.chars().take(64).collect::<String>()))
        .collect();
    match others.is_empty() {
        true => Ok(()),
        false => Err(Error::Unprocessable(format!(
            "filename, tags and legal_hold can be changed, but not {}",
            others.join(", ")
        ))),
    }
}

fn filename(value: &Value) -> Result<Filename, Error> {
    match value {
        Value::String(name) => Filename::of_member(name),
        _ => Err(must_be("filename", "a string")),
    }
}

fn tag_list(value: &Value) -> Result<Vec<String>, Error> {
    let sent: Option<Vec<String>> = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(sent) => sent
            .iter()
            .map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    tags(&sent.ok_or_else(|| must_be("tags", "a list of strings, or null for none"))?)
}

fn legal_hold(value: &Value) -> Result<bool, Error> {
    value
        .as_bool()
        .ok_or_else(|| must_be("legal_hold", "true or false"))
}

fn must_be(member: &str, what: &str) -> Error {
    Error::Unprocessable(format!("{member} must be {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(body: &str) -> Result<Patch, Error> {
        Patch::parse(body.as_bytes())
    }

    #[test]
    fn what_is_absent_stays_and_null_takes_the_tags_away() {
        assert_eq!(parse("{}").expect("a patch"), Patch::default());
        let patch = parse(r#"{"tags": null}"#).expect("a patch");
        assert_eq!(patch.tags, Some(vec![]));
        let body = r#"{"filename": "a/b.txt", "tags": ["b", "a "], "legal_hold": true}"#;
        let patch = parse(body).expect("a patch");
        assert_eq!(patch.filename.as_ref().map(Filename::as_str), Some("b.txt"));
        assert_eq!(patch.tags, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(patch.legal_hold, Some(true));
    }

    #[test]
    fn a_member_that_cannot_be_changed_so_is_named() {
        for (body, named) in [
            (r#"{"id": 5, "surprise": 1}"#, r#""id", "surprise""#),
            (r#"{"filename": null}"#, "filename"),
            (r#"{"filename": ".."}"#, "name"),
            (r#"{"tags": "offer"}"#, "tags"),
            (r#"{"tags": [1]}"#, "tags"),
            (r#"{"tags": [""]}"#, "tags"),
            (r#"{"legal_hold": null}"#, "legal_hold"),
            (r#"{"legal_hold": "yes"}"#, "legal_hold"),
            ("[]", "object"),
            ("null", "object"),
        ] {
            match parse(body) {
                Err(Error::Unprocessable(sentence)) => {
                    assert!(sentence.contains(named), "{body}: {sentence}");
                }
                other => panic!("{body}: {other:?}"),
            }
        }
        assert!(matches!(parse("{"), Err(Error::BadRequest(_))));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_patch_or_a_problem(body in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Err(error) = Patch::parse(&body) {
                prop_assert!(matches!(error, Error::BadRequest(_) | Error::Unprocessable(_)));
            }
        }
    }
}
