//! What tests of several crates start, once for all of them.
//!
//! Start reading at [`Process`], which everything here is made of; [`Postgres`] is the one that most
//! tests want. A test adds what it alone knows, such as a tenant's schemas, in a `support` module of its own.

mod authority;
mod collector;
mod object_store;
mod postgres;
mod process;
mod prometheus;
mod tool;

pub use authority::{Authority, Certificate};
pub use collector::Collector;
pub use object_store::{ObjectStoreSetup, object_store};
pub use postgres::{OTHER_VERSIONS, Postgres, PostgresSetup, SUPERUSER, SUPERUSER_PASSWORD};
pub use process::{Process, mortal, signal};
pub use prometheus::{promtool, scraper};
pub use tool::{postgres_tool, tool};
