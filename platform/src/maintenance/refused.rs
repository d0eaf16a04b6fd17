//! What is not done until somebody looked at it: it is written down where the operator reads it.

use docket_contract::Refusal;

use super::{Maintenance, TABLE, Task};
use crate::database::{Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// Why a task does not do what it would: not a failure that may be over the next time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {because}", reason.as_str())]
pub struct Refused {
    /// The kind of it.
    pub reason: Refusal,
    /// What is said of it, in the words of the reason.
    pub because: String,
}

/// Of [`Refused::because`], in characters.
const LONGEST: usize = 400;

// It is due again at the next visit: who has put it right need not wait for its period.
const REFUSE: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "UPDATE maintenance_tasks SET refused = $2, refused_because = $3, \
          due = least(due, clock_timestamp() + make_interval(secs => $4)) WHERE name = $1",
};

const CLEAR: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "UPDATE maintenance_tasks SET refused = NULL, refused_because = NULL WHERE name = $1",
};

impl Maintenance {
    /// Writes down how `task` went that `was_refused` the last time, if that is news.
    pub(super) async fn note(
        &self,
        client: &Client,
        task: &dyn Task,
        was_refused: bool,
        refused: Option<&Refused>,
    ) -> Result<(), Error> {
        let (statement, values) = match refused {
            Some(refused) => {
                let because: String = refused.because.chars().take(LONGEST).collect();
                let values = arguments()
                    .with(task.name())?
                    .with(refused.reason.as_str())?
                    .with(because)?
                    .with(self.visit_period().as_secs_f64())?;
                (REFUSE, values)
            }
            None if was_refused => (CLEAR, arguments().with(task.name())?),
            None => return Ok(()),
        };
        let database = &self.database;
        let work = async {
            let mut connection = database.connection(client).await?;
            statement
                .fetch_optional(database, connection.as_mut(), values.end())
                .await?;
            Ok(())
        };
        database.within_deadline(work).await
    }
}
