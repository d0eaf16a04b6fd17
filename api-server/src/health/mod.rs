//! What works and what does not, asked at most every two seconds whoever wants to know.

mod checks;
mod metrics;
mod report;
mod routes;

use std::sync::Arc;
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
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            last: Mutex::default(),
            schemas: Mutex::default(),
            metrics: metrics::Metrics::new(),
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
}
