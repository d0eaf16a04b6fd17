//! What works and what does not, asked at most every two seconds whoever wants to know.

mod checks;
mod internal;
mod metrics;
mod report;
mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub use internal::routes as internal_routes;
pub use report::Finding;
use report::{HealthStatus, Report};
pub use routes::routes;

use crate::database::NeededSchema;
use crate::platform::Platform;
use crate::workload::{self, Workload};

/// Age up to which a report is handed out again.
const FRESH: Duration = Duration::from_secs(2);

/// The last report. Whoever finds it too old makes the next one, and all others wait for that.
#[derive(Debug)]
pub struct Health {
    platform: Platform,
    workloads: Vec<Arc<dyn Workload>>,
    needed: NeededSchema,
    draining: CancellationToken,
    last: Mutex<Option<(Instant, Arc<Report>)>>,
    schemas: Mutex<checks::Schemas>,
    metrics: metrics::Metrics,
    proved: AtomicBool,
}

impl Health {
    /// Of a server that takes no new requests once it is `draining`.
    pub fn new(
        platform: Platform,
        workloads: Vec<Arc<dyn Workload>>,
        draining: CancellationToken,
    ) -> Self {
        Self {
            platform,
            needed: NeededSchema::new(
                workloads.iter().map(|workload| workload.name()),
                workload::tables(&workloads),
            ),
            workloads,
            draining,
            last: Mutex::default(),
            schemas: Mutex::default(),
            metrics: metrics::Metrics::new(),
            proved: AtomicBool::new(false),
        }
    }

    /// A report at most two seconds old.
    async fn report(&self) -> Arc<Report> {
        let mut last = self.last.lock().await;
        if let Some((_, report)) = last.as_ref().filter(|(made, _)| made.elapsed() < FRESH) {
            return report.clone();
        }
        let report = Arc::new(self.check().await);
        *last = Some((Instant::now(), report.clone()));
        report
    }

    /// Why requests should not be sent here; none when they should (ADR 0010).
    ///
    /// A server that has yet to show that its configuration works must not replace one that serves.
    /// After that, what is wrong with a part that all servers share is no reason: sending requests
    /// elsewhere would not help, and sending none would end what still works.
    async fn objections(&self) -> Vec<String> {
        if self.draining.is_cancelled() {
            return vec!["the server is shutting down".to_owned()];
        }
        let issuer = self.platform.access.issuers.without_keys();
        // Pods that have the keys go on serving until this one has them, too.
        if let Some(issuer) = issuer {
            return vec![
                match self.platform.access.own_issuer.as_deref() {
                    Some(own) if own.url() == issuer => {
                        "the tenant's own signing keys are not here"
                    }
                    _ => "the issuer's keys have not been fetched",
                }
                .to_owned(),
            ];
        }
        let report = self.report().await;
        let wrong = report.reasons();
        if wrong.is_empty() {
            self.proved.store(true, Ordering::Relaxed);
        }
        match self.proved.load(Ordering::Relaxed) {
            true => report.outgrown.reasons.clone(),
            false => wrong,
        }
    }
}
