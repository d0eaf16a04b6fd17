//! What survives the death or the silence of a part: the API server, Postgres and S3 are real
//! processes, with their data on disk.

mod client;
mod kills;
mod ledger;
mod outages;
mod silence;
mod stack;
#[path = "../support/mod.rs"]
mod support;
