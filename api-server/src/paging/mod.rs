//! Lists in pages, newest first: a page starts where the one before ended, so nothing is shown twice or
//! left out while entries come in.

mod cursor;
mod page;
pub(crate) mod query;

pub(crate) use cursor::Cursor;
pub(crate) use page::cut;
