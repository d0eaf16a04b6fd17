//! Asking the stores of content and the clients' schemas, cheaply however many clients there are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::join_all;
use jiff::Timestamp;

use super::report::{Finding, Report};
use super::{Health, HealthStatus};
use crate::content_store::ContentStore;
use crate::database::SchemaState;
use crate::tenant::Client;

/// Longest that a check may take, of however many clients: the kubelet waits 3 s for an answer, and one
/// that comes too late would take the server out for what is no fault of its own.
const PATIENCE: Duration = Duration::from_secs(2);
/// A schema that was found current is believed for this long; any other is asked every time.
const BELIEVED: Duration = Duration::from_secs(60);
/// Schemas that are asked at once.
const AT_ONCE: usize = 8;

/// What is known of each client's schema.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    known: HashMap<String, (Instant, SchemaState)>,
    turn: usize,
}

impl Schemas {
    /// Those to ask now: all that are not known to be served, and one more by turns, so that a
    /// database that went away is noticed at the next check.
    fn due<'a>(
        &mut self,
        clients: impl ExactSizeIterator<Item = &'a Arc<Client>>,
    ) -> Vec<Arc<Client>> {
        let witness = self.turn % clients.len().max(1);
        self.turn = self.turn.wrapping_add(1);
        let due = |client: &Client| {
            self.known
                .get(&client.name)
                .is_none_or(|(asked, state)| !state.is_served() || asked.elapsed() > BELIEVED)
        };
        let clients = clients.enumerate();
        let asked = clients.filter(|(i, client)| *i == witness || due(client));
        asked.map(|(_, client)| client.clone()).collect()
    }

    fn learn(&mut self, client: &Client, state: SchemaState) {
        let before = self
            .known
            .insert(client.name.clone(), (Instant::now(), state.clone()));
        if before.is_none_or(|(_, before)| before != state) {
            match state.is_served() {
                true => tracing::info!(client = client.name, "the client's schema is served"),
                false => tracing::warn!(client = client.name, ?state, "the client is not served"),
            }
        }
    }

    /// There was no time to ask: what was known is still believed.
    fn pass_over(&mut self, client: &Client) {
        let unknown = || SchemaState::Unreachable("not asked yet".into());
        self.known
            .entry(client.name.clone())
            .or_insert_with(|| (Instant::now(), unknown()));
    }

    fn states(&self) -> Vec<SchemaState> {
        self.known
            .values()
            .map(|(_, state)| state.clone())
            .collect()
    }
}

impl Health {
    /// One trace a check, so that its statements are no traces of their own.
    #[tracing::instrument(name = "health_check", skip_all)]
    pub(super) async fn check(&self) -> Report {
        let stores = self.workloads.iter().filter_map(|it| it.content());
        let contents = join_all(stores.map(|store| self.check_content(store)));
        let (contents, (states, latency)) = tokio::join!(contents, self.check_database());
        Report {
            at: Timestamp::now(),
            contents,
            database: Finding::of_schemas(&states),
            latency,
            missing_tables: missing(&states),
            outgrown: Finding::of_newer_schemas(&states),
        }
    }

    /// The name of a store, and what it is like.
    async fn check_content(&self, content: &ContentStore) -> (&'static str, Finding) {
        let start = Instant::now();
        let finding = match tokio::time::timeout(PATIENCE, content.check()).await {
            Ok(Ok(())) => Finding::healthy(),
            Ok(Err(error)) => {
                tracing::warn!(error, "the store of content does not work");
                Finding::unhealthy("the store of content does not work".into())
            }
            Err(_) => Finding::unhealthy("the store of content does not answer".into()),
        };
        let name = content.component();
        self.metrics.record(name, finding.status, start.elapsed());
        (name, finding)
    }

    /// The clients' schemas, and the time of the slowest answer.
    async fn check_database(&self) -> (Vec<SchemaState>, Option<Duration>) {
        let start = Instant::now();
        let mut schemas = self.schemas.lock().await;
        let due = schemas.due(self.platform.tenant.clients());
        let end = start + PATIENCE;
        let mut answers = futures::stream::iter(due)
            .map(|client| async move {
                let answer = self.ask(&client, end).await;
                (client, answer)
            })
            .buffer_unordered(AT_ONCE);
        let mut latency = None;
        while let Some((client, answer)) = answers.next().await {
            let Some((state, took)) = answer else {
                schemas.pass_over(&client);
                continue;
            };
            if !matches!(state, SchemaState::Unreachable(_)) {
                latency = latency.max(Some(took));
            }
            schemas.learn(&client, state);
        }
        let states = schemas.states();
        let status = Finding::of_schemas(&states).status;
        self.metrics.record("data_store", status, start.elapsed());
        (states, latency)
    }

    /// `None` when `end` has come before the question could be asked.
    async fn ask(&self, client: &Client, end: Instant) -> Option<(SchemaState, Duration)> {
        let start = Instant::now();
        if start >= end {
            return None;
        }
        let state = self.platform.database.schema_state(client, &self.tables);
        let state = tokio::time::timeout(end - start, state)
            .await
            .unwrap_or_else(|_| SchemaState::Unreachable("no answer in time".into()));
        Some((state, start.elapsed()))
    }
}

fn missing(states: &[SchemaState]) -> Vec<String> {
    let mut tables: Vec<String> = states
        .iter()
        .flat_map(|state| match state {
            SchemaState::Current { missing } => missing.clone(),
            _ => Vec::new(),
        })
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

/// The status of a check that is about one table.
pub(super) fn table_status(report: &Report, table: &str) -> HealthStatus {
    match report.missing_tables.iter().any(|missing| missing == table) {
        true => HealthStatus::Unhealthy,
        false => report.database.status,
    }
}
