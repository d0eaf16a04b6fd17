//! What works and what does not, asked at most every two seconds whoever wants to know.

mod checks;
mod metrics;
mod report;
mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

pub(crate) use checks::table_status;
pub(crate) use report::{Report, Status};
pub(crate) use routes::{HealthBody, routes};

use crate::App;

/// Age up to which a report is handed out again.
const FRESH: Duration = Duration::from_secs(2);

/// The last report. Whoever finds it too old makes the next one, and all others wait for that.
#[derive(Debug)]
pub(crate) struct Health {
    last: Mutex<Option<(Instant, Arc<Report>)>>,
    schemas: Mutex<checks::Schemas>,
    metrics: metrics::Metrics,
    proved: AtomicBool,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            last: Mutex::default(),
            schemas: Mutex::default(),
            metrics: metrics::Metrics::new(),
            proved: AtomicBool::new(false),
        }
    }

    /// A report at most two seconds old.
    pub(crate) async fn report(&self, app: &App) -> Arc<Report> {
        let mut last = self.last.lock().await;
        if let Some((_, report)) = last.as_ref().filter(|(made, _)| made.elapsed() < FRESH) {
            return report.clone();
        }
        let report = Arc::new(self.check(app).await);
        *last = Some((Instant::now(), report.clone()));
        report
    }

    /// Why requests should not be sent here; none when they should (ADR 0010).
    ///
    /// A server that has yet to show that its configuration works must not replace one that serves.
    /// After that, what is wrong with a part that all servers share is no reason: sending requests
    /// elsewhere would not help, and sending none would end what still works.
    pub(crate) async fn objections(&self, app: &App) -> Vec<String> {
        let report = self.report(app).await;
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
