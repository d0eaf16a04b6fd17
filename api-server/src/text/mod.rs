//! What a document says: its text, the words that a search finds it by, and a summary.

mod at_upload;
mod decode;
mod repository;
mod source;
mod summary;
mod words;

pub(crate) use at_upload::{INLINE, Texts};
pub(crate) use repository::{TABLE, search_sql};
pub(crate) use words::words;
