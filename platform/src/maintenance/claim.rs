//! Which task is due for a client, and whose it is.

use std::collections::HashMap;

use sqlx::Row as _;

use super::{Maintenance, Task};
use crate::database::{Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// When each task is due.
pub const TABLE: &str = "maintenance_tasks";

// Who moves the time ahead does it. Whoever comes at the same moment waits, looks again and leaves it.
const CLAIM: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "INSERT INTO maintenance_tasks AS task (name, due) \
          SELECT name, clock_timestamp() + make_interval(secs => seconds) \
          FROM unnest($1::text[], $2::float8[]) AS wanted (name, seconds) \
          ON CONFLICT (name) DO UPDATE SET due = excluded.due WHERE task.due <= clock_timestamp() \
          RETURNING name, refused IS NOT NULL AS was_refused",
};

/// A task that is ours to do now.
pub(super) struct Claimed<'a> {
    pub(super) task: &'a dyn Task,
    /// It was not done the last time, until somebody looked at it.
    pub(super) was_refused: bool,
}

impl Maintenance {
    /// The tasks that are due for `client`, each claimed until its next time.
    pub(super) async fn claim(&self, client: &Client) -> Result<Vec<Claimed<'_>>, Error> {
        let tasks = || self.tasks.iter().map(AsRef::as_ref);
        let visit = self.visit_period();
        let names: Vec<&str> = tasks().map(Task::name).collect();
        let seconds = tasks().map(|task| task.period().max(visit).as_secs_f64());
        let seconds: Vec<f64> = seconds.collect();
        let arguments = arguments().with(names)?.with(seconds)?.end();
        let database = &self.database;
        let work = async {
            let mut connection = database.connection(client).await?;
            let rows = CLAIM
                .fetch_all(database, connection.as_mut(), arguments)
                .await?;
            let mut claimed: HashMap<String, bool> = HashMap::new();
            for row in &rows {
                claimed.insert(row.try_get("name")?, row.try_get("was_refused")?);
            }
            let ours = tasks().filter_map(|task| {
                let was_refused = claimed.remove(task.name())?;
                Some(Claimed { task, was_refused })
            });
            Ok(ours.collect())
        };
        database.within_deadline(work).await
    }
}
