//! Sessions with one database. None outlives work that failed or took too long in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::Semaphore;

use super::circuit_breaker::{Attempt, CircuitBreaker};
use super::failure::{self, NoSession};
use super::outside;
use super::shares::{ALIKE_QUEUE, Place, Shares, place};
use crate::error::Error;
use crate::leadership::fence::Fence;

/// Longest wait for an answer to what is a matter of milliseconds.
const SURVEY: Duration = Duration::from_secs(5);

/// What a database says when it is asked whether it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It takes changes.
    Usable,
    /// It takes none.
    ReadOnly,
    /// It says nothing, or no.
    Unusable,
}

/// A pool, and how long its sessions may be busy with one thing.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    pool: PgPool,
    fence: Fence,
    deadline: Duration,
    has_registry: Arc<AtomicBool>,
    outage: CircuitBreaker,
    migrations: Arc<Semaphore>,
    shares: Shares,
    /// Those who are in this database, or wait for a session in it.
    places: Arc<Semaphore>,
}

/// A session, and what it takes of what all share.
struct Session<'a> {
    connection: PoolConnection<Postgres>,
    turn: Attempt<'a>,
    place: Place,
}

/// A session in which something may be done, and for how long.
struct Begun {
    connection: PoolConnection<Postgres>,
    patience: Duration,
    _places: (Place, Option<Place>),
}

impl Sessions {
    pub fn new(pool: PgPool, fence: Fence, deadline: Duration, shares: Shares) -> Self {
        Self {
            pool,
            fence,
            deadline,
            has_registry: Arc::default(),
            outage: CircuitBreaker::new(shares.unproven()),
            migrations: outside::turns(),
            places: shares.of_one(),
            shares,
        }
    }

    /// Whether the registry was there when it was last looked for. A server that lost its data comes
    /// back without it under the same name.
    pub fn has_registry(&self) -> bool {
        self.has_registry.load(Ordering::Relaxed)
    }

    /// Remembers that the registry is there.
    pub fn found_registry(&self) {
        self.has_registry.store(true, Ordering::Relaxed);
    }

    /// How long a session of the pool may be busy with one thing.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What a session beside the pool is opened with.
    pub fn options(&self) -> Arc<PgConnectOptions> {
        self.pool.connect_options()
    }

    /// Who may do a migration that takes long.
    pub fn migrations(&self) -> Arc<Semaphore> {
        self.migrations.clone()
    }

    /// Whether something may still be changed.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_fence(&self) -> sqlx::Result<()> {
        Ok(self.fence.check().map_err(std::io::Error::from)?)
    }

    /// Does `work` in a session.
    ///
    /// A session in which it fails, or is not done by the deadline, is closed: nobody knows whether
    /// a transaction is open in it, or an answer still to come.
    ///
    /// # Errors
    /// What went wrong, in words; transient, as a database that does not answer may do so later.
    pub async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Error> {
        let begun = self.begin().await?;
        let result = self.attempt(begun.connection, begun.patience, work).await;
        self.end(result)
    }

    async fn begin(&self) -> Result<Begun, Error> {
        let Session {
            connection,
            turn,
            place,
        } = self.session().await?;
        turn.reached();
        let (patience, slow) = self.patience();
        Ok(Begun {
            connection,
            patience,
            _places: (place, slow),
        })
    }

    fn end<T>(&self, result: sqlx::Result<T>) -> Result<T, Error> {
        if let Err(sqlx::Error::Io(_)) = &result {
            self.outage.doubt();
        }
        result.map_err(|error| self.explain(&error))
    }

    /// Does `work` that only reads a little: a database that lets one in and does not answer within seconds is as
    /// good as one that does not let one in, for all who use it.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub async fn survey<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, Error> {
        let Session {
            connection,
            turn,
            place: _place,
        } = self.session().await?;
        let patience = SURVEY.min(self.deadline);
        let result = self.attempt(connection, patience, work).await;
        match &result {
            Err(error @ sqlx::Error::Io(_)) => turn.not_reached(failure::in_words(error)),
            _ => turn.reached(),
        }
        result.map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &sqlx::Error) -> Error {
        if is_undefined_table(error) {
            self.has_registry.store(false, Ordering::Relaxed);
        }
        failure::explain(error)
    }

    /// Asks whether the database can be used, with `patience`; nothing where all sessions are in use,
    /// which then say so themselves.
    pub async fn ask(&self, patience: Duration) -> Option<Answer> {
        let Session {
            connection,
            turn,
            place: _place,
        } = match self.session().await {
            Ok(session) => session,
            Err(NoSession::Busy(_) | NoSession::Queued(_)) => return None,
            Err(NoSession::Unreachable(_)) => return Some(Answer::Unusable),
        };
        let read_only = self.attempt(connection, patience, async |connection| {
            sqlx::query_scalar("SELECT current_setting('transaction_read_only')::bool")
                .fetch_one(connection)
                .await
        });
        let read_only = read_only.await;
        match &read_only {
            Err(error @ sqlx::Error::Io(_)) => turn.not_reached(failure::in_words(error)),
            _ => turn.reached(),
        }
        Some(match read_only {
            Ok(false) => Answer::Usable,
            Ok(true) => Answer::ReadOnly,
            Err(_) => Answer::Unusable,
        })
    }

    /// How long one thing may take, while what comes with it is held: the deadline, unless others take long.
    pub fn patience(&self) -> (Duration, Option<Place>) {
        self.shares.patience(self.deadline)
    }

    async fn session(&self) -> Result<Session<'_>, NoSession> {
        let place = place(&self.places, ALIKE_QUEUE).await;
        let place = place.map_err(NoSession::Queued)?;
        let turn = self.outage.turn().await?;
        match self.pool.acquire().await {
            Ok(connection) => Ok(Session {
                connection,
                turn,
                place,
            }),
            Err(error) => {
                let why = failure::no_session(&self.pool, error).await;
                match &why {
                    NoSession::Busy(_) | NoSession::Queued(_) => turn.reached(),
                    NoSession::Unreachable(problem) => turn.not_reached(problem.clone()),
                }
                Err(why)
            }
        }
    }

    async fn attempt<T>(
        &self,
        mut session: PoolConnection<Postgres>,
        deadline: Duration,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let result = tokio::time::timeout(deadline, work(&mut session))
            .await
            .unwrap_or_else(|_| Err(too_late(deadline)));
        if result.is_err() {
            drop(session.detach());
        }
        result
    }

    /// Runs a script that begins and commits by itself.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub async fn run_script(&self, script: String) -> Result<(), Error> {
        let trace = docket_instrumentation::traceparent()
            .map_or_else(String::new, |parent| format!("/*traceparent='{parent}'*/ "));
        let begun = self.begin().await?;
        // The server does not see that we gave up: what waits for a lock must end before, and not be
        // done later, when something else may be wanted.
        let patience = (begun.patience * 3 / 4).as_millis();
        let script = format!("{trace}SET lock_timeout = {patience}; {script}");
        let result = self.attempt(begun.connection, begun.patience, async |connection| {
            // Sent by the next line, in one piece.
            self.check_fence()?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(script))
                .execute(connection)
                .await
                .map(|_| ())
        });
        self.end(result.await)
    }
}

fn too_late(deadline: Duration) -> sqlx::Error {
    let text = format!("no answer within {deadline:?}");
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
}

/// By SQLSTATE (PostgreSQL, appendix A).
fn is_undefined_table(error: &sqlx::Error) -> bool {
    let refused = error.as_database_error();
    refused.and_then(|it| it.code()).as_deref() == Some("42P01")
}
