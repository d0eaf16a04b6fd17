//! Finding documents by their words, the best first.

mod cursor;
mod query;
mod snippet;
mod statement;

pub(crate) use cursor::SearchCursor;
pub(crate) use query::Query;
pub(crate) use statement::{SearchHit, search};
