//! What those on call read in the operator's log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use docket_crds::ConditionType;
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

/// What this thread logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Until the guard is dropped.
    fn follow() -> (Self, DefaultGuard) {
        let log = Self::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(move || written.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// Fields of each warning so far.
    fn warnings(&self) -> Vec<Value> {
        let bytes = self.0.lock().expect("no writer panics");
        serde_json::Deserializer::from_slice(&bytes)
            .into_iter::<Value>()
            .map(|line| line.expect("a line of JSON"))
            .filter(|line| line["level"] == "WARN")
            .map(|line| line["fields"].clone())
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_wrong_is_logged_once_as_its_condition_says_it_in_fields_of_their_own() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    postgres.stop();
    let (log, _guard) = Log::follow();
    for _ in 0..2 {
        cluster.reconcile().await.expect_err("no database");
    }
    let (_, reason, message) = cluster.condition(ConditionType::Ready);
    assert_eq!(reason, "DatabaseUnavailable");
    assert_eq!(
        log.warnings(),
        [json!({"message": "not as it should be", "reason": reason, "error": message})]
    );
}
