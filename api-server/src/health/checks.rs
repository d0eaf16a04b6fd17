//! Asking the object store and the clients' schemas, cheaply however many clients there are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use time::OffsetDateTime;

use super::report::{Finding, Report};
use super::{Health, Status};
use crate::database::SchemaState;
use crate::tenant::Client;
use crate::{App, workloads};

/// Longest that a check may take: a probe's own timeout is often no more than this.
const PATIENCE: Duration = Duration::from_secs(3);
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
    pub(super) async fn check(&self, app: &App) -> Report {
        let (content, (database, latency, missing_tables)) =
            tokio::join!(self.check_content(app), self.check_database(app));
        Report {
            at: OffsetDateTime::now_utc(),
            content,
            database,
            latency,
            missing_tables,
        }
    }

    async fn check_content(&self, app: &App) -> Finding {
        let start = Instant::now();
        let finding = match tokio::time::timeout(PATIENCE, app.content.check()).await {
            Ok(Ok(())) => Finding::healthy(),
            Ok(Err(error)) => {
                tracing::warn!(error, "the store of content does not work");
                Finding::unhealthy("the store of content does not work".into())
            }
            Err(_) => Finding::unhealthy("the store of content does not answer".into()),
        };
        self.metrics
            .record(app.content.component(), finding.status, start.elapsed());
        finding
    }

    async fn check_database(&self, app: &App) -> (Finding, Option<Duration>, Vec<String>) {
        let start = Instant::now();
        let mut schemas = self.schemas.lock().await;
        let due = schemas.due(app.tenant.clients());
        let mut answers = futures::stream::iter(due)
            .map(|client| async move {
                let answer = ask(app, &client).await;
                (client, answer)
            })
            .buffer_unordered(AT_ONCE);
        let mut latency = None;
        while let Some((client, (state, took))) = answers.next().await {
            if !matches!(state, SchemaState::Unreachable(_)) {
                latency = latency.max(Some(took));
            }
            schemas.learn(&client, state);
        }
        let states = schemas.states();
        let finding = Finding::of_schemas(&states);
        self.metrics
            .record("data_store", finding.status, start.elapsed());
        (finding, latency, missing(&states))
    }
}

async fn ask(app: &App, client: &Client) -> (SchemaState, Duration) {
    let start = Instant::now();
    let state = app.database.schema_state(client, workloads::tables());
    let state = tokio::time::timeout(PATIENCE, state)
        .await
        .unwrap_or_else(|_| SchemaState::Unreachable("no answer in time".into()));
    (state, start.elapsed())
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
pub(crate) fn table_status(report: &Report, table: &str) -> Status {
    match report.missing_tables.iter().any(|missing| missing == table) {
        true => Status::Unhealthy,
        false => report.database.status,
    }
}
