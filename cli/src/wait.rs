//! Waiting for what the operator does.

use std::pin::pin;
use std::time::{Duration, Instant};

use docket_crds::DocumentTenant;
use futures::StreamExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watch_object};
use tokio::time::MissedTickBehavior;

use crate::cluster::Cluster;
use crate::problem::Problem;
use crate::screen::Screen;

/// What a look at a tenant tells.
pub(crate) enum Look<T> {
    Done(T),
    /// What is waited for.
    NotYet(String),
}

/// Looks at the tenant `name` whenever it changes, and once a second, until that is done.
pub(crate) async fn until<T>(
    cluster: &Cluster,
    name: &str,
    patience: Duration,
    screen: &mut Screen<'_>,
    mut look: impl AsyncFnMut(&DocumentTenant) -> Result<Look<T>, Problem>,
) -> Result<T, Problem> {
    let start = Instant::now();
    let mut watch = pin!(watch_object(cluster.tenants(), name).default_backoff());
    let mut deadline = pin!(tokio::time::sleep(patience));
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<DocumentTenant> = None;
    let mut state = "asking the API server".to_owned();
    loop {
        tokio::select! {
            biased;
            _ = &mut interrupted => return Err(Problem::interrupted()),
            () = &mut deadline => {
                let waited = crate::since::spoken(patience);
                return Err(Problem::no(format!("it did not come about within {waited}: {state}.")));
            }
            seen = watch.next() => match seen {
                Some(Ok(tenant)) => last = Some(tenant.ok_or_else(|| gone(cluster, name))?),
                Some(Err(error)) => state = explain(error)?,
                None => return Err(gone(cluster, name)),
            },
            _ = tick.tick() => {}
        }
        if let Some(tenant) = &last {
            match look(tenant).await? {
                Look::Done(value) => {
                    screen.end_progress();
                    return Ok(value);
                }
                Look::NotYet(now) => state = now,
            }
        }
        screen.progress(&state, start.elapsed());
    }
}

fn gone(cluster: &Cluster, name: &str) -> Problem {
    let name = cluster.full_name(name);
    Problem::no(format!("{name} was deleted meanwhile."))
}

/// Only a refusal is the end: an API server that is away comes back.
fn explain(error: watcher::Error) -> Result<String, Problem> {
    let refusal = match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            Some(error).filter(|error| {
                matches!(error, kube::Error::Api(status) if status.code == 401 || status.is_forbidden())
            })
        }
        _ => None,
    };
    match refusal {
        Some(error) => Err(Problem::of_cluster(error, "watch DocumentTenants")),
        None => Ok("the API server does not answer; it is asked again".to_owned()),
    }
}
