//! What the servers of a tenant do by themselves, for each client as its own role, from time to time.
//!
//! A task uses one connection at a time and holds none while it waits for the object store. It stops at
//! once when the server drains: what it leaves half done, the next visit finds.

mod claim;
mod metrics;
mod refused;
mod task;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use docket_instrumentation::catch_panic;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use claim::Claimed;
pub use claim::TABLE;
use metrics::Metrics;
pub use refused::Refused;
pub use task::{DAY, Task};

use crate::database::Database;
use crate::idempotency::Expire;
use crate::platform::Platform;
use crate::tenant::{Client, Tenant};
use crate::usage::{self, Recount};
use crate::workload::Workload;

/// The tasks of a server, and when it looks for those that are due.
#[derive(Debug)]
pub struct Maintenance {
    tenant: Arc<Tenant>,
    database: Arc<Database>,
    /// Between two visits to a client.
    interval: Duration,
    tasks: Vec<Arc<dyn Task>>,
    metrics: Metrics,
}

impl Maintenance {
    /// The tasks of `workloads`, and then those of what they share.
    ///
    /// # Panics
    /// When two tasks have the same name: the first server that is put together shows it.
    pub fn new(platform: &Platform, workloads: &[Arc<dyn Workload>], interval: Duration) -> Self {
        let database = platform.database.clone();
        let recount = Recount::new(database.clone(), usage::all(workloads));
        let shared: [Arc<dyn Task>; 2] =
            [Arc::new(recount), Arc::new(Expire::new(database.clone()))];
        let own = workloads.iter().flat_map(|workload| workload.tasks());
        let tasks: Vec<Arc<dyn Task>> = own.chain(shared).collect();
        assert!(are_told_apart(&tasks), "two tasks have the same name");
        Self {
            tenant: platform.tenant.clone(),
            database,
            interval,
            tasks,
            metrics: Metrics::new(),
        }
    }

    /// Visits all clients again and again, until the server is `draining`.
    pub async fn run(&self, draining: &CancellationToken) {
        let forever = async {
            loop {
                tokio::time::sleep(jittered(self.interval)).await;
                for client in self.tenant.clients() {
                    self.visit(client).await;
                }
            }
        };
        draining.run_until_cancelled(forever).await;
    }

    /// Does for `client` what is due and nobody else does. What fails is logged, counted, and due again
    /// in time.
    pub async fn visit(&self, client: &Client) {
        let span = tracing::info_span!("maintenance", client = client.name);
        async {
            let claimed = match self.claim(client).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    return tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        client = client.name,
                        "maintenance was put off"
                    );
                }
            };
            for claimed in claimed {
                self.run_task(client, claimed).await;
            }
        }
        .instrument(span)
        .await;
    }

    async fn run_task(&self, client: &Client, claimed: Claimed<'_>) {
        let Claimed { task, was_refused } = claimed;
        // The next client's is done all the same.
        let done = catch_panic(task.run(client)).await;
        let done = done.unwrap_or_else(|panicked| Err(panicked.into()));
        let refused = done.as_ref().err().and_then(|it| it.downcast_ref());
        self.metrics.ran(task.name(), outcome(&done));
        if let Err(error) = &done {
            tracing::warn!(
                error = format!("{error:#}"),
                task = task.name(),
                client = client.name,
                "maintenance failed"
            );
        }
        // Of what failed otherwise it is not known whether it would be refused.
        if (done.is_ok() || refused.is_some())
            && let Err(error) = self.note(client, task, was_refused, refused).await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                task = task.name(),
                client = client.name,
                "how maintenance went was not written down"
            );
        }
    }

    /// Less than the interval between two visits, so that a task is not put off to the one after.
    fn visit_period(&self) -> Duration {
        self.interval.mul_f64(0.8)
    }
}

/// A word for how a task ended.
fn outcome(done: &anyhow::Result<()>) -> &'static str {
    match done {
        Ok(()) => "done",
        Err(error) if error.is::<Refused>() => "refused",
        Err(_) => "failed",
    }
}

/// The servers of a tenant start together; they need not come together.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(rand::random_range(0.9..1.1))
}

/// Whether each has a name of its own: who claims one by its name would claim the other.
fn are_told_apart(tasks: &[Arc<dyn Task>]) -> bool {
    let names: HashSet<&str> = tasks.iter().map(|task| task.name()).collect();
    names.len() == tasks.len()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;

    #[derive(Debug)]
    struct Named(&'static str);

    impl Task for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn run<'a>(&'a self, _: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
            async { Ok(()) }.boxed()
        }
    }

    fn tasks(names: [&'static str; 2]) -> [Arc<dyn Task>; 2] {
        names.map(|name| Arc::new(Named(name)) as Arc<dyn Task>)
    }

    #[test]
    fn two_tasks_of_one_name_are_noticed() {
        assert!(are_told_apart(&tasks(["purge", "sweep"])));
        assert!(!are_told_apart(&tasks(["purge", "purge"])));
    }
}
