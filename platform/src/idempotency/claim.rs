//! A key in the hands of one request.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{PgConnection, Row as _};
use tokio::task::JoinHandle;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Answer, Fingerprint, IdempotencyKey, TABLE};
use crate::database::{ArgumentList, Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// A third of the lease, so that one renewal may fail.
const RENEWAL: Duration = Duration::from_secs(10);
/// Longest wait of a failing request for its key to be free.
const FREEING: Duration = Duration::from_secs(1);
/// A key may be freed between being refused and being looked at.
const TRIES: usize = 3;

const TAKE: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "INSERT INTO idempotency_keys AS held (key, holder, leased_until) \
          VALUES ($1, $2::text::uuid, now() + interval '30 seconds') \
          ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, \
            leased_until = excluded.leased_until, created_at = now(), fingerprint = NULL, \
            status = NULL, headers = NULL, body = NULL \
          WHERE CASE WHEN held.status IS NULL THEN held.leased_until < now() \
            ELSE held.created_at < now() - interval '24 hours' END \
          RETURNING held.key",
};

const READ: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE key = $1",
};

const RENEW: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "UPDATE idempotency_keys SET leased_until = now() + interval '30 seconds' \
          WHERE key = $1 AND holder = $2::text::uuid AND status IS NULL RETURNING key",
};

const ANSWER: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "UPDATE idempotency_keys SET fingerprint = $3, status = $4, headers = $5, body = $6 \
          WHERE key = $1 AND holder = $2::text::uuid RETURNING key",
};

const FREE: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "DELETE FROM idempotency_keys \
          WHERE key = $1 AND holder = $2::text::uuid AND status IS NULL",
};

/// What became of asking for a key.
pub enum Claimed {
    /// It is this request's to answer.
    Mine(Claim),
    /// It was answered before: what was asked, and the answer.
    Answered(Fingerprint, Answer),
}

/// A key that no other request can have, until the lease of 30 s is over; freed when it is dropped
/// before it is [settled](Self::settle).
pub struct Claim {
    database: Arc<Database>,
    client: Arc<Client>,
    key: IdempotencyKey,
    /// Tells this claim from a later one of the same key.
    holder: Uuid,
    held: bool,
}

impl Claim {
    /// # Errors
    /// [`Error::KeyInUse`] while another request has it.
    pub async fn take(
        database: &Arc<Database>,
        client: &Arc<Client>,
        key: IdempotencyKey,
    ) -> Result<Claimed, Error> {
        let mut claim = Self {
            database: database.clone(),
            client: client.clone(),
            key,
            holder: Uuid::new_v4(),
            held: true,
        };
        let work = async {
            let mut connection = database.connection(client).await?;
            for _ in 0..TRIES {
                let taken = claim.run(&TAKE, connection.as_mut()).await?;
                if taken.is_some() {
                    return Ok(None);
                }
                let key = arguments().with(claim.key.as_str())?.end();
                let row = READ
                    .fetch_optional(database, connection.as_mut(), key)
                    .await?;
                if let Some(row) = row {
                    return Ok(Some(answered(&row)?.ok_or(Error::KeyInUse)?));
                }
            }
            Err(Error::KeyInUse)
        };
        let answered = database.within_deadline(work).await;
        claim.held = !matches!(answered, Ok(Some(_)) | Err(Error::KeyInUse));
        Ok(match answered? {
            None => Claimed::Mine(claim),
            Some((fingerprint, answer)) => Claimed::Answered(fingerprint, answer),
        })
    }

    /// `work`, during which the lease does not end; no connection is held between renewals.
    ///
    /// # Errors
    /// Those of `work`; [`Error::KeyInUse`] when the lease ended all the same and another request has
    /// the key.
    pub async fn renewed_during<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => done,
            lost = self.renew() => Err(lost),
        }
    }

    /// Stores `answer` in the transaction that `connection` is in.
    ///
    /// # Errors
    /// [`Error::KeyInUse`] when the lease ended and another request has the key: the transaction must
    /// not be committed.
    pub async fn answer(
        &self,
        connection: &mut PgConnection,
        fingerprint: Fingerprint,
        answer: &Answer,
    ) -> Result<(), Error> {
        let (status, headers, body) = answer.columns()?;
        let arguments = self
            .arguments()?
            .with(fingerprint.0.as_slice())?
            .with(status)?
            .with(headers)?
            .with(body)?
            .end();
        let row = ANSWER
            .fetch_optional(&self.database, connection, arguments)
            .await?;
        row.map(drop).ok_or(Error::KeyInUse)
    }

    /// What the request ended with; after an error the key is free, so that it can be sent again.
    pub async fn settle<T>(mut self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_ok() {
            self.held = false;
        } else if let Some(freeing) = self.free() {
            // Without a database there is nothing to wait for: the lease will end.
            let _ = tokio::time::timeout(FREEING, freeing).await;
        }
        result
    }

    /// Ends when the key is lost, and says how.
    async fn renew(&self) -> Error {
        loop {
            tokio::time::sleep(RENEWAL).await;
            let work = async {
                let mut connection = self.database.connection(&self.client).await?;
                self.run(&RENEW, connection.as_mut()).await
            };
            match self.database.within_deadline(work).await {
                Ok(Some(_)) => {}
                Ok(None) => return Error::KeyInUse,
                Err(error) => tracing::warn!(%error, "the lease of a key was not renewed"),
            }
        }
    }

    /// Runs on when the request is gone. An answer that was stored stays.
    fn free(&mut self) -> Option<JoinHandle<()>> {
        if !std::mem::take(&mut self.held) {
            return None;
        }
        let (database, client) = (self.database.clone(), self.client.clone());
        let arguments = self.arguments().ok()?.end();
        let work = async move {
            let work = async {
                let mut connection = database.connection(&client).await?;
                FREE.fetch_optional(&database, connection.as_mut(), arguments)
                    .await
            };
            if let Err(error) = database.within_deadline(work).await {
                tracing::warn!(%error, "a key stays in use until its lease ends");
            }
        };
        Some(tokio::spawn(work.in_current_span()))
    }

    async fn run(
        &self,
        statement: &Statement,
        connection: &mut PgConnection,
    ) -> Result<Option<PgRow>, Error> {
        let arguments: PgArguments = self.arguments()?.end();
        statement
            .fetch_optional(&self.database, connection, arguments)
            .await
    }

    fn arguments(&self) -> Result<ArgumentList, Error> {
        arguments()
            .with(self.key.as_str())?
            .with(self.holder.to_string())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.free();
    }
}

fn answered(row: &PgRow) -> Result<Option<(Fingerprint, Answer)>, Error> {
    let fingerprint: Option<Vec<u8>> = row.try_get("fingerprint")?;
    let answer = Answer::of_row(row)?;
    let fingerprint = fingerprint.and_then(|it| it.try_into().ok());
    Ok(fingerprint.map(Fingerprint).zip(answer))
}
