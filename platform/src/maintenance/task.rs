//! Something to do from time to time.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::tenant::Client;

/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Done for one client at a time, by one of a tenant's servers.
pub trait Task: Debug + Send + Sync + 'static {
    /// As the table of tasks has it, and the metrics.
    fn name(&self) -> &'static str;

    /// Time between two runs at least, for what should not be done at each visit.
    fn period(&self) -> Duration {
        Duration::ZERO
    }

    /// Does it. What is left half done is done the next time.
    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>>;
}
