//! Lists in pages, newest first: a page starts where the one before ended, so nothing is shown twice or
//! left out while entries come in.

mod cursor;
mod page;
pub mod query;

pub use cursor::{BEGINNING_OF_TIME, Cursor};
pub use page::cut;
