//! Sessions with one database. None outlives work that failed or took too long in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use super::failure;
use crate::error::Error;
use crate::fence::Fence;

/// A pool, and how long its sessions may be busy with one thing.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    pool: PgPool,
    fence: Fence,
    deadline: Duration,
    has_registry: Arc<AtomicBool>,
}

impl Sessions {
    pub fn new(pool: PgPool, fence: Fence, deadline: Duration) -> Self {
        Self {
            pool,
            fence,
            deadline,
            has_registry: Arc::default(),
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
        match self.attempt(work).await {
            Ok(done) => Ok(done),
            Err(error) if is_undefined_table(&error) => {
                self.has_registry.store(false, Ordering::Relaxed);
                Err(failure::explain(&self.pool, error).await)
            }
            Err(error) => Err(failure::explain(&self.pool, error).await),
        }
    }

    async fn attempt<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let mut connection = self.pool.acquire().await?;
        let result = tokio::time::timeout(self.deadline, work(&mut connection))
            .await
            .unwrap_or_else(|_| Err(self.too_late()));
        if result.is_err() {
            drop(connection.detach());
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
        // The server does not see that we gave up: what waits for a lock must end before, and not be
        // done later, when something else may be wanted.
        let patience = (self.deadline * 3 / 4).as_millis();
        let script = format!("{trace}SET lock_timeout = {patience}; {script}");
        self.with(async |connection| {
            // Sent by the next line, in one piece.
            self.fence.check().map_err(std::io::Error::from)?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(script))
                .execute(connection)
                .await
                .map(|_| ())
        })
        .await
    }

    fn too_late(&self) -> sqlx::Error {
        let text = format!("no answer within {:?}", self.deadline);
        sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
    }
}

/// By SQLSTATE (PostgreSQL, appendix A).
fn is_undefined_table(error: &sqlx::Error) -> bool {
    let refused = error.as_database_error();
    refused.and_then(|it| it.code()).as_deref() == Some("42P01")
}
