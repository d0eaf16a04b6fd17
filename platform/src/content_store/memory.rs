//! The memory that uploads take, all together, on their way to the object store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::PART;
use crate::error::Error;
use crate::platform::share;

/// Bytes that room is given in: the least that a part allocates.
const PAGE: usize = 8 * 1024;

/// Time in which a part usually comes in.
const USUAL: Duration = Duration::from_secs(1);

/// What a server's uploads may hold. One half is for whoever comes first; where it is used up, uploads
/// take turns at the other, the reserve. Of both a client has a share.
///
/// A part gets room for all that it is expected to bring before it takes a byte, so that who waits
/// holds nothing. One that takes longer than usual gives back what it does not use, and then gets room
/// as its bytes come: slow callers keep no memory empty. It may have to wait while it holds
/// something, but not for others that do: a turn brings room for a whole part, and ends soon.
#[derive(Clone, Debug)]
pub struct UploadMemory(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    all: Room,
    by_schema: Mutex<HashMap<String, Arc<Room>>>,
    share: (usize, usize),
    /// Longest turn while others wait; a wait ends after half of it.
    patience: Duration,
}

/// What all may hold, or one client.
#[derive(Debug)]
struct Room {
    /// Pages.
    shared: Arc<Semaphore>,
    /// Parts.
    reserve: Arc<Semaphore>,
    /// How many wait for a turn at the reserve.
    waiting: AtomicUsize,
}

impl Room {
    fn new((pages, parts): (usize, usize)) -> Self {
        Self {
            shared: Arc::new(Semaphore::new(pages.min(Semaphore::MAX_PERMITS))),
            reserve: Arc::new(Semaphore::new(parts.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
        }
    }

    async fn pages(&self, pages: u32) -> Option<OwnedSemaphorePermit> {
        self.shared.clone().acquire_many_owned(pages).await.ok()
    }

    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = Waiting::at(&self.waiting);
        self.reserve.clone().acquire_owned().await.ok()
    }

    fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

impl UploadMemory {
    /// As many `bytes`, but at least two parts.
    /// `patience` is the deadline of a request. Where there are several `clients`, each may have half.
    pub fn of(bytes: u64, patience: Duration, clients: usize) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let parts = (bytes / 2 / PART).clamp(1, Semaphore::MAX_PERMITS);
        let pages = bytes.saturating_sub(parts * PART).max(PART) / PAGE;
        // Any part fits into a share.
        let share = (
            share(pages, clients).max(PART / PAGE),
            share(parts, clients),
        );
        Self(Arc::new(Pool {
            all: Room::new((pages, parts)),
            by_schema: Mutex::default(),
            share,
            patience,
        }))
    }

    /// What the uploads of one client may hold.
    pub(super) fn of_client(&self, schema: &str) -> ClientUploadMemory {
        let by_schema = self.0.by_schema.lock();
        let mut by_schema = by_schema.unwrap_or_else(PoisonError::into_inner);
        let room = by_schema.entry(schema.to_owned());
        ClientUploadMemory {
            room: room
                .or_insert_with(|| Arc::new(Room::new(self.0.share)))
                .clone(),
            pool: self.0.clone(),
        }
    }
}

/// A client's share of the memory of uploads.
#[derive(Clone, Debug)]
pub(super) struct ClientUploadMemory {
    room: Arc<Room>,
    pool: Arc<Pool>,
}

impl ClientUploadMemory {
    /// Room for a part of which nothing has come yet.
    pub(super) fn reservation(&self) -> Reservation {
        Reservation {
            memory: self.clone(),
            bytes: 0,
            expected: 0,
            shared: None,
            reserve: None,
            since: None,
        }
    }
}

/// What one part holds; it is given back on drop.
#[derive(Debug)]
pub(super) struct Reservation {
    memory: ClientUploadMemory,
    bytes: usize,
    /// Bytes for which there is room before they come.
    expected: usize,
    shared: Option<Permits>,
    reserve: Option<Permits>,
    /// When it began to come in, or its last wait ended.
    since: Option<Instant>,
}

/// Of the client's room, and of that of all.
#[derive(Debug)]
struct Permits {
    of_client: OwnedSemaphorePermit,
    of_all: OwnedSemaphorePermit,
}

impl Reservation {
    /// Makes room for `bytes` more of the part, and the first time for as many as are `expected`.
    ///
    /// # Errors
    /// [`Error::MemoryFull`] after a wait that was too long, or a turn that others wait for.
    pub(super) async fn grow(&mut self, bytes: usize, expected: usize) -> Result<(), Error> {
        let since = *self.since.get_or_insert_with(|| {
            self.expected = expected;
            Instant::now()
        });
        self.bytes += bytes;
        if self.reserve.is_some() {
            let ClientUploadMemory { room, pool } = &self.memory;
            let others = room.is_waited_for() || pool.all.is_waited_for();
            return match others && since.elapsed() > pool.patience {
                true => Err(Error::MemoryFull),
                false => Ok(()),
            };
        }
        if since.elapsed() > USUAL {
            self.settle();
        }
        let wanted = self.bytes.max(self.expected).div_ceil(PAGE);
        // No part has more pages.
        let missing = u32::try_from(wanted.saturating_sub(self.pages()));
        let missing = missing.map_err(|_| Error::MemoryFull)?;
        if missing == 0 {
            return Ok(());
        }
        match self.memory.free_pages(missing) {
            Some(pages) => self.add(pages),
            None => self.wait(missing).await?,
        }
        Ok(())
    }

    /// Gives back what is not used, as no more is expected.
    pub(super) fn settle(&mut self) {
        self.expected = 0;
        let surplus = self.pages().saturating_sub(self.bytes.div_ceil(PAGE));
        if let Some(shared) = &mut self.shared {
            drop(shared.of_all.split(surplus));
            drop(shared.of_client.split(surplus));
        }
    }

    fn pages(&self) -> usize {
        let shared = self.shared.as_ref();
        shared.map_or(0, |pages| pages.of_all.num_permits())
    }

    async fn wait(&mut self, missing: u32) -> Result<(), Error> {
        let memory = self.memory.clone();
        let more = async {
            tokio::select! {
                Some(pages) = memory.pages(missing) => self.add(pages),
                Some(turn) = memory.turn() => self.reserve = Some(turn),
            }
        };
        tokio::time::timeout(memory.pool.patience / 2, more)
            .await
            .map_err(|_| Error::MemoryFull)?;
        self.since = Some(Instant::now());
        Ok(())
    }

    fn add(&mut self, pages: Permits) {
        match &mut self.shared {
            Some(held) => {
                held.of_client.merge(pages.of_client);
                held.of_all.merge(pages.of_all);
            }
            None => self.shared = Some(pages),
        }
    }
}

/// First what the client may have: who waits for others of its own keeps nothing from those of others.
impl ClientUploadMemory {
    fn free_pages(&self, pages: u32) -> Option<Permits> {
        let free = |room: &Room| room.shared.clone().try_acquire_many_owned(pages).ok();
        Some(Permits {
            of_client: free(&self.room)?,
            of_all: free(&self.pool.all)?,
        })
    }

    async fn pages(&self, pages: u32) -> Option<Permits> {
        Some(Permits {
            of_client: self.room.pages(pages).await?,
            of_all: self.pool.all.pages(pages).await?,
        })
    }

    async fn turn(&self) -> Option<Permits> {
        Some(Permits {
            of_client: self.room.turn().await?,
            of_all: self.pool.all.turn().await?,
        })
    }
}

/// Counts one while it lives.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn at(count: &'p AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
