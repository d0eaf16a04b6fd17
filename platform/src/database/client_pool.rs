//! The connections of one client: those in use, those that were in use a moment ago, the idle ones.
//!
//! sqlx asks a connection whether it works each time it comes back and each time it is taken: two
//! round trips that a statement of the same length need not pay. So a connection that came back in
//! order stays aside, warm, for the next who needs one, and goes back to sqlx when nobody does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::aside::aside;
use super::server_address::ServerAddress;
use crate::error::Error;

/// A warm connection that nobody took for this long goes back to sqlx.
const WARM: Duration = Duration::from_secs(1);
/// Longest wait for a connection to show, when it goes back, that it can be used again.
const GIVEN_BACK: Duration = Duration::from_secs(1);
/// One that was taken from sqlx this long ago goes back, so that its age is looked at.
const AWAY: Duration = Duration::from_secs(60);
/// Checks of one client at once.
const CHECKS: u32 = 1;
/// A login that takes this long is a slow one, if there is still somebody to log in to.
const SLOW_LOGIN: Duration = Duration::from_secs(2);

/// What a connection is wanted for.
///
/// Reads keep a processor busy, so a few at once are as fast as many. Commits wait for the disk, which
/// Postgres makes wait once for all that come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Commit,
    /// A question whether the client is served, which no request of the client's may hold up.
    Check,
}

/// Connections of one client at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct PerClient {
    pub(super) reads: u32,
    pub(super) commits: u32,
    /// For both together, of what all clients have together.
    pub(super) share: usize,
}

impl PerClient {
    /// At once, checks included.
    pub(super) const fn all(self) -> u32 {
        self.reads + self.commits + CHECKS
    }
}

#[derive(Debug)]
pub(super) struct ClientPool {
    pool: PgPool,
    server: ServerAddress,
    reads: Arc<Semaphore>,
    commits: Arc<Semaphore>,
    checks: Arc<Semaphore>,
    share: Arc<Semaphore>,
    warm: Mutex<Vec<Warm>>,
}

#[derive(Debug)]
struct Warm {
    connection: PoolConnection<Postgres>,
    taken: Instant,
    used: Instant,
}

/// A client's connection; given back on drop.
pub struct Connection {
    /// `None` only while it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    taken: Instant,
    then: Then,
    home: Arc<ClientPool>,
    /// Given back after the connection.
    _turn: Turn,
}

/// The right to have a connection, given back in this order.
#[derive(Debug)]
pub(super) struct Turn {
    _of_purpose: OwnedSemaphorePermit,
    /// The client's, and that of all clients; none for a check.
    _shared: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

/// What becomes of a connection that is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// sqlx finds out whether it can be used again.
    Asked,
    /// The next may take it as it is.
    Warm,
    Ended,
}

impl ClientPool {
    /// As many connections at once as `most` says, made to `server` by `pool`, which must allow their sum.
    pub(super) fn new(pool: PgPool, server: ServerAddress, most: PerClient) -> Self {
        Self {
            pool,
            server,
            reads: Arc::new(Semaphore::new(most.reads as usize)),
            commits: Arc::new(Semaphore::new(most.commits as usize)),
            checks: Arc::new(Semaphore::new(CHECKS as usize)),
            share: Arc::new(Semaphore::new(most.share)),
            warm: Mutex::default(),
        }
    }

    /// A turn within `patience`, in what the client may have and then in what all clients have, `in_use`: who
    /// waits for others of its own client keeps nothing from those of others.
    pub(super) async fn turn(
        &self,
        purpose: Purpose,
        in_use: &Arc<Semaphore>,
        patience: Duration,
    ) -> Result<Turn, Error> {
        let end = Instant::now() + patience;
        let of_purpose = match purpose {
            Purpose::Read => &self.reads,
            Purpose::Commit => &self.commits,
            Purpose::Check => &self.checks,
        };
        let of_purpose = permit(of_purpose, end).await?;
        let shared = match purpose {
            Purpose::Read | Purpose::Commit => {
                let share = permit(&self.share, end).await?;
                Some((share, permit(in_use, end).await?))
            }
            Purpose::Check => None,
        };
        Ok(Turn {
            _of_purpose: of_purpose,
            _shared: shared,
        })
    }

    /// A connection for whoever has a turn.
    pub(super) async fn connection(self: &Arc<Self>, turn: Turn) -> Result<Connection, Error> {
        let (connection, taken, turn) = match self.take_warm() {
            Some(warm) => (warm.connection, warm.taken, turn),
            None => {
                let home = self.clone();
                // A login that nobody waits for any more takes its turn along, until it ends.
                aside(async move { Ok((home.acquire().await?, Instant::now(), turn)) }).await?
            }
        };
        Ok(Connection {
            connection: Some(connection),
            taken,
            then: Then::Asked,
            home: self.clone(),
            _turn: turn,
        })
    }

    /// An idle connection that still works, or a new one, for which sqlx waits as long as its options say.
    ///
    /// It goes on trying where the server refuses, too. That is no slow login, and is told at once.
    async fn acquire(&self) -> Result<PoolConnection<Postgres>, Error> {
        tokio::select! {
            connection = self.pool.acquire() => Ok(connection?),
            refusal = self.server.refusal(SLOW_LOGIN) => Err(sqlx::Error::Io(refusal).into()),
        }
    }

    /// Idle connections, and all.
    pub(super) fn count(&self) -> (u64, u64) {
        let idle = self.pool.num_idle() + self.warm().len();
        (idle as u64, u64::from(self.pool.size()))
    }

    /// Gives back to sqlx what nobody took for a while.
    pub(super) fn cool(&self) {
        let cold: Vec<Warm> = self
            .warm()
            .extract_if(.., |warm| warm.used.elapsed() > WARM)
            .collect();
        cold.into_iter().for_each(|warm| give_back(warm.connection));
    }

    /// The one that was used last, unless it is too long ago to be sure of it.
    fn take_warm(&self) -> Option<Warm> {
        let warm = self.warm().pop()?;
        if warm.used.elapsed() <= WARM {
            return Some(warm);
        }
        give_back(warm.connection);
        None
    }

    fn warm(&self) -> std::sync::MutexGuard<'_, Vec<Warm>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ClientPool {
    /// Outside of the runtime, at the end of the process, a connection cannot go back to sqlx.
    fn drop(&mut self) {
        for warm in self.warm().drain(..) {
            drop(warm.connection.detach());
        }
    }
}

impl Connection {
    pub fn as_mut(&mut self) -> &mut PgConnection {
        self.then = Then::Asked;
        self.connection.as_mut().expect("it is there until drop")
    }

    /// The same for a conversation after which, when it is cut off, sqlx does not know what it would read
    /// next: the connection ends, unless it is settled.
    pub(super) fn as_mut_or_end(&mut self) -> &mut PgConnection {
        self.then = Then::Ended;
        self.connection.as_mut().expect("it is there until drop")
    }

    /// Says that all answers were read and no transaction is open, so that the next may take it as
    /// it is. Without this word sqlx finds out.
    pub fn settle(&mut self) {
        self.then = Then::Warm;
    }

    /// Ends it, instead of giving it back for the next.
    pub fn end(mut self) {
        self.then = Then::Ended;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut connection = self.connection.take().expect("it is there until drop");
        match self.then {
            Then::Ended => connection.close_on_drop(),
            Then::Warm if self.taken.elapsed() < AWAY => {
                let (taken, used) = (self.taken, Instant::now());
                self.home.warm().push(Warm {
                    connection,
                    taken,
                    used,
                });
            }
            Then::Warm | Then::Asked => give_back(connection),
        }
    }
}

/// A statement that was cut off leaves a connection that may never answer again: if the server's
/// machine is gone, TCP notices after a quarter of an hour. Until then it would fill the pool.
fn give_back(mut connection: PoolConnection<Postgres>) {
    let given_back = connection.return_to_pool();
    tokio::spawn(tokio::time::timeout(GIVEN_BACK, given_back));
}

/// A permit of `of` until `end`; without a timer where one is free.
async fn permit(of: &Arc<Semaphore>, end: Instant) -> Result<OwnedSemaphorePermit, Error> {
    if let Ok(permit) = of.clone().try_acquire_owned() {
        return Ok(permit);
    }
    match timeout_at(end.into(), of.clone().acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(Error::from(sqlx::Error::PoolTimedOut)),
    }
}
