//! A span, as far as it is shown.

use std::collections::BTreeMap;

use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// 32 hex digits.
    pub trace: String,
    /// 16 hex digits.
    pub id: String,
    /// That of the span around it; empty where there is none.
    pub parent: String,
    pub service: String,
    pub name: String,
    pub start: Timestamp,
    pub end: Timestamp,
    /// What failed; empty where only that it failed is known.
    pub error: Option<String>,
    pub attributes: BTreeMap<String, String>,
}

/// The id of the request that it is a part of; empty where there is none.
pub(crate) fn request_of(span: &Span) -> &str {
    span.attributes.get("correlation_id").map_or("", |id| id)
}

/// A statement of a span.
pub(crate) fn statement(span: &Span) -> Option<&str> {
    span.attributes.get("db.query.text").map(String::as_str)
}
