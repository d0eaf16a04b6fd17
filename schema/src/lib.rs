//! The SQL of one client: who it is in Postgres, what it may do there, and how its schema grows.
//!
//! Everything here is text made from values, without a connection: the operator runs it, the API
//! server checks what it finds against [`LATEST_VERSION`].

mod identity;
mod migrations;
mod provision;
mod quote;
mod registry;
mod release;

pub use identity::Identity;
pub use migrations::{LATEST_VERSION, MIGRATIONS, MIGRATIONS_TABLE, Migration, read_versions};
pub use provision::{Provision, provision};
pub use registry::{BOOTSTRAP, Owner, READ_CLIENTS, READ_SESSIONS, READ_UNREGISTERED, State};
pub use release::{delete, retain, retire};
