//! Which task is due for a client, and whose it is.

use std::time::Duration;

use sqlx::Row as _;

use crate::App;
use crate::database::{Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

pub(crate) const TABLE: &str = "maintenance_tasks";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Something to do from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Purge,
    Sweep,
    Recount,
    Expire,
}

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

impl Task {
    const ALL: [Self; 4] = [Self::Purge, Self::Sweep, Self::Recount, Self::Expire];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Sweep => "sweep",
            Self::Recount => "recount",
            Self::Expire => "expire",
        }
    }

    /// Less than the interval between two visits, so that a task is not put off to the one after.
    fn period(self, app: &App) -> Duration {
        let visit = app.limits.maintenance_interval.mul_f64(0.8);
        match self {
            Self::Purge | Self::Expire => visit,
            // To list a bucket costs money.
            Self::Sweep => visit.max(app.limits.orphan_grace / 4),
            Self::Recount => visit.max(DAY),
        }
    }

    /// The tasks that are due for `client`, each claimed until its next time.
    pub(super) async fn claim(app: &App, client: &Client) -> Result<Vec<Self>, Error> {
        let names: Vec<&str> = Self::ALL.iter().map(|task| task.name()).collect();
        let seconds = Self::ALL.iter().map(|task| task.period(app).as_secs_f64());
        let seconds: Vec<f64> = seconds.collect();
        let arguments = arguments().with(names)?.with(seconds)?.end();
        let database = &app.database;
        let work = async {
            let mut connection = database.connection(client).await?;
            let rows = CLAIM
                .fetch_all(database, connection.as_mut(), arguments)
                .await?;
            let claimed: Vec<String> = rows
                .iter()
                .map(|row| row.try_get("name"))
                .collect::<Result<_, _>>()?;
            let is_claimed = |task: &Self| claimed.iter().any(|name| name == task.name());
            Ok(Self::ALL.into_iter().filter(is_claimed).collect())
        };
        database.within_deadline(work).await
    }
}
