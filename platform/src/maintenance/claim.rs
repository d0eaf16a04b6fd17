//! Which task is due for a client, and whose it is.

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
          RETURNING name",
};

impl Maintenance {
    /// The tasks that are due for `client`, each claimed until its next time.
    pub(super) async fn claim(&self, client: &Client) -> Result<Vec<&dyn Task>, Error> {
        let tasks = || self.tasks.iter().map(AsRef::as_ref);
        // Less than the interval between two visits, so that a task is not put off to the one after.
        let visit = self.interval.mul_f64(0.8);
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
            let claimed: Vec<String> = rows
                .iter()
                .map(|row| row.try_get("name"))
                .collect::<Result<_, _>>()?;
            let is_claimed = |task: &&dyn Task| claimed.iter().any(|name| name == task.name());
            Ok(tasks().filter(is_claimed).collect())
        };
        database.within_deadline(work).await
    }
}
