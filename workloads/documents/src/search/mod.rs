//! Finding documents by their words, the best first.

mod place;
mod query;
mod snippet;
mod statement;

pub(crate) use place::Place;
pub(crate) use query::Query;
pub(crate) use statement::{Found, search};
