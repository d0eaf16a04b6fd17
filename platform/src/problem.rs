//! What is open about errors: each part of the server brings its own problems, and all become answers
//! in one place, `error.rs`.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

/// A kind of problem (RFC 9457): what programs tell it by, and how the OpenAPI document lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// Of the answer.
    pub status: StatusCode,
    /// The last part of the problem's `type`.
    pub name: &'static str,
    /// A `detail` as it may be.
    pub example: &'static str,
}

/// Why a request is not answered with what it asked for; its `Display` is the `detail`, for people.
pub trait Problem: std::error::Error + Send + Sync + 'static {
    /// One of those that the part lists.
    fn kind(&self) -> &'static ProblemKind;

    /// Adds what the answer says beside its body.
    fn add_headers(&self, _headers: &mut HeaderMap) {}

    /// What the body says beside the members that every problem has (RFC 9457, 3.2).
    fn members(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// The problems that a part of the server brings.
#[derive(Clone, Copy, Debug)]
pub struct ProblemList {
    /// Where another part has the same kind, the example of the last one is shown.
    pub kinds: &'static [ProblemKind],
    /// What a status means, in words of this part's own.
    pub descriptions: &'static [(StatusCode, &'static str)],
}

/// Whether programs find in `lists` what they tell `kind` by.
pub fn is_listed(lists: &[ProblemList], kind: &ProblemKind) -> bool {
    let mut listed = lists.iter().flat_map(|list| list.kinds);
    listed.any(|it| it.status == kind.status && it.name == kind.name)
}
