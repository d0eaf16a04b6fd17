//! Postgres: a small pool per client, each logged in as that client's own role.

mod aside;
mod client_pool;
mod metrics;
mod outage;
mod pools;
mod schema_state;
mod server_address;
mod statement;
mod together;
mod transaction;

pub(crate) use outage::is_outage;
pub(crate) use pools::Database;
pub(crate) use schema_state::SchemaState;
pub(crate) use statement::{ArgumentList, Statement, arguments};
pub(crate) use together::{ByClient, Work};
pub(crate) use transaction::{Transaction, commits_itself};
