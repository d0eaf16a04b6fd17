//! Postgres: a small pool per client, each logged in as that client's own role.

mod aside;
mod batching;
mod client_pool;
mod metrics;
mod name_of_itself;
mod outage;
mod pools;
mod schema_state;
mod server_address;
mod statement;
mod transaction;

pub use batching::{Batch, ClientBatchers};
pub use outage::is_outage;
pub use pools::{Database, DatabaseSettings};
pub use schema_state::{NeededSchema, SchemaState};
pub use statement::{ArgumentList, Statement, arguments};
pub use transaction::{Transaction, commits_itself};
