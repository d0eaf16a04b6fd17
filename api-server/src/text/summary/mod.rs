//! What a document is about, in a few sentences.

mod extractive;
mod sentences;

pub(crate) use extractive::summarize;
