//! A migration outside of transactions. It may take hours, so it has a session of its own, and whoever waits
//! for it gives up before it does: the next to come finds it under way, or done.

use std::sync::Arc;

use docket_crds::ConditionType;
use docket_schema::{Identity, Outside};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::failure;
use super::sessions::Sessions;
use crate::error::{Error, Problem};

/// The reason of a migration that takes longer than anybody waits.
pub const UNDER_WAY: &str = "MigrationUnderWay";

/// Migrations that a database does at a time: each reads a whole table, and keeps two sessions.
const AT_A_TIME: usize = 2;

/// The right to do one, of those that a database has.
pub(super) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_A_TIME))
}

/// How an attempt ended.
enum Ended {
    Done,
    /// Somebody else does it.
    UnderWay,
}

/// Does `outside` for the client `identity`, and goes on doing it when nobody waits any more.
pub(super) async fn migrate(
    sessions: &Sessions,
    identity: &Identity,
    outside: Outside,
) -> Result<(), Error> {
    let Ok(turn) = sessions.migrations().try_acquire_owned() else {
        return Err(waits(identity, outside, "waits for others of its database"));
    };
    let work = {
        let (sessions, identity) = (sessions.clone(), identity.clone());
        async move {
            let ended = attempt(&sessions, &identity, outside).await;
            drop(turn);
            ended
        }
    };
    let work = tokio::spawn(work.in_current_span());
    let (patience, _slow) = sessions.patience();
    match tokio::time::timeout(patience, work).await {
        Ok(Ok(Ok(Ended::Done))) => Ok(()),
        Ok(Ok(Err(error))) => Err(failure::explain(&error)),
        Ok(Ok(Ok(Ended::UnderWay))) | Err(_) => Err(waits(identity, outside, "is under way")),
        Ok(Err(_)) => Err(Error::stopping()),
    }
}

async fn attempt(
    sessions: &Sessions,
    identity: &Identity,
    outside: Outside,
) -> sqlx::Result<Ended> {
    // An index is made outside of transactions, and a row is locked in one.
    let mut holder = session(sessions).await?;
    run(&mut holder, sessions, Outside::make_lock(identity)).await?;
    run(&mut holder, sessions, Outside::HOLD.to_owned()).await?;
    let mut held = holder.begin().await?;
    let lock = sqlx::query(AssertSqlSafe(Outside::try_lock(identity)));
    if lock.fetch_optional(&mut *held).await?.is_none() {
        return Ok(Ended::UnderWay);
    }
    let mut session = session(sessions).await?;
    run(&mut session, sessions, Outside::settings(identity)).await?;
    if let Some(find) = outside.find_invalid(identity)
        && let Some(drop) = outside.drop_invalid(identity)
    {
        let found = sqlx::query(AssertSqlSafe(find)).fetch_optional(&mut session);
        if found.await?.is_some() {
            run(&mut session, sessions, drop).await?;
        }
    }
    run(&mut session, sessions, outside.sql().to_owned()).await?;
    run(&mut session, sessions, outside.record()).await?;
    session.close().await?;
    held.rollback().await?;
    holder.close().await?;
    Ok(Ended::Done)
}

/// One beside the pool.
async fn session(sessions: &Sessions) -> sqlx::Result<PgConnection> {
    let (options, patience) = (sessions.options(), sessions.deadline());
    tokio::time::timeout(patience, options.connect())
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn run(session: &mut PgConnection, sessions: &Sessions, sql: String) -> sqlx::Result<()> {
    sessions.check_fence()?;
    let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(session);
    run.await.map(drop)
}

fn waits(identity: &Identity, outside: Outside, how: &str) -> Error {
    Error::Transient(Problem::new(
        ConditionType::DatabaseReady,
        UNDER_WAY,
        format!(
            "The migration {} of the schema {} {how}; what runs goes on running, and the operator looks again.",
            outside.file(),
            identity.schema
        ),
    ))
}
