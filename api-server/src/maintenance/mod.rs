//! What the servers of a tenant do by themselves, for each client as its own role: they end what has
//! been in the trash for long enough, remove content that nothing refers to, and count anew.
//!
//! It uses one connection at a time and holds none while it waits for the object store. It stops at
//! once when the server drains: what it leaves half done, the next visit finds.

mod metrics;
mod purge;
mod sweep;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

pub(crate) use metrics::Metrics;
pub use purge::{purge, remove_content, remove_expired};
pub use sweep::sweep;
pub(crate) use tasks::TABLE;
use tasks::Task;

use crate::App;
use crate::tenant::Client;
use crate::{expire_idempotency_keys, recount_usage};

/// Visits all clients again and again, until the server drains.
pub async fn run(app: Arc<App>) {
    let forever = async {
        loop {
            tokio::time::sleep(jittered(app.limits.maintenance_interval)).await;
            for client in app.tenant.clients() {
                visit(&app, client).await;
            }
        }
    };
    app.draining().run_until_cancelled(forever).await;
}

/// The servers of a tenant start together; they need not come together.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(rand::random_range(0.9..1.1))
}

/// Does for `client` what is due and nobody else does. What fails is logged, counted, and due again
/// in time.
pub async fn visit(app: &App, client: &Client) {
    let span = tracing::info_span!("maintenance", client = client.name);
    async {
        let claimed = match Task::claim(app, client).await {
            Ok(claimed) => claimed,
            Err(error) => {
                return tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    client = client.name,
                    "maintenance was put off"
                );
            }
        };
        for task in claimed {
            let done = match task {
                Task::Purge => purge(app, client).await,
                Task::Sweep => sweep(app, client).await,
                Task::Recount => recount(app, client).await,
                Task::Expire => expire(app, client).await,
            };
            app.maintenance.ran(task.name(), done.is_ok());
            if let Err(error) = done {
                tracing::warn!(
                    error = format!("{error:#}"),
                    task = task.name(),
                    client = client.name,
                    "maintenance failed"
                );
            }
        }
    }
    .instrument(span)
    .await;
}

/// Forgets idempotency keys that nobody will send again.
async fn expire(app: &App, client: &Client) -> anyhow::Result<()> {
    while expire_idempotency_keys(app, client).await? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn recount(app: &App, client: &Client) -> anyhow::Result<()> {
    if recount_usage(app, client).await? {
        tracing::warn!(
            client = client.name,
            "what the client uses was counted wrong, and is right again"
        );
    }
    Ok(())
}
