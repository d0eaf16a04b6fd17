//! The SQL of one client: who it is in Postgres, what it may do there, and how its schema grows.
//!
//! Everything here is text made from values, without a connection: the operator runs it, the API
//! server checks what it finds against [`latest_version`].

mod applied;
mod identity;
mod lock;
mod migrations;
mod outside;
mod provision;
mod quote;
mod registry;
mod release;

pub use applied::{Applied, Conflict, MIGRATIONS_TABLE, Outside, read_schemas};
pub use identity::Identity;
pub use migrations::{Migration, PLATFORM, WORKLOADS, Workload, latest_version, workload};
pub use provision::{Provision, provision};
pub use registry::{
    BOOTSTRAP, Owner, READ_CLIENTS, READ_DATABASE, READ_SESSIONS, READ_UNREGISTERED, State,
};
pub use release::{
    End, count_held, count_stored, delete, delete_roles, drop_workload, end_sessions, retain,
    retire, shut_out,
};
