//! The memory that uploads take, all together, on their way to the object store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::PART;
use crate::error::Error;

/// Of the memory that the process may take: the rest is for requests, their texts and the process
/// that reads files.
const SHARE: (u64, u64) = (3, 8);
/// Bytes that room is given in: the least that a part allocates.
const PAGE: usize = 8 * 1024;

/// Time in which a part usually comes in.
const USUAL: Duration = Duration::from_secs(1);

/// What a server's uploads may hold. One half is for whoever comes first; where it is used up, uploads
/// take turns at the other, the reserve.
///
/// A part gets room for all that it is expected to bring before it takes a byte, so that who waits
/// holds nothing. One that takes longer than usual gives back what it does not use, and then gets room
/// as its bytes come: slow callers keep no memory empty. It may have to wait while it holds
/// something, but not for others that do: a turn brings room for a whole part, and ends soon.
#[derive(Clone, Debug)]
pub struct UploadMemory(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    /// Pages.
    shared: Arc<Semaphore>,
    /// Parts.
    reserve: Arc<Semaphore>,
    /// How many wait for either.
    waiting: AtomicUsize,
    /// Longest turn while others wait; a wait ends after half of it.
    patience: Duration,
}

impl UploadMemory {
    /// A share of the `memory` that the process may take, in bytes, but at least two parts.
    /// `patience` is the deadline of a request.
    pub fn of(memory: u64, patience: Duration) -> Self {
        let bytes = usize::try_from(memory / SHARE.1 * SHARE.0).unwrap_or(usize::MAX);
        let parts = (bytes / 2 / PART).clamp(1, Semaphore::MAX_PERMITS);
        let pages = bytes.saturating_sub(parts * PART).max(PART) / PAGE;
        Self(Arc::new(Pool {
            shared: Arc::new(Semaphore::new(pages.min(Semaphore::MAX_PERMITS))),
            reserve: Arc::new(Semaphore::new(parts)),
            waiting: AtomicUsize::new(0),
            patience,
        }))
    }

    /// Room for a part of which nothing has come yet.
    pub(super) fn reservation(&self) -> Reservation {
        Reservation {
            pool: self.0.clone(),
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
    pool: Arc<Pool>,
    bytes: usize,
    /// Bytes for which there is room before they come.
    expected: usize,
    shared: Option<OwnedSemaphorePermit>,
    reserve: Option<OwnedSemaphorePermit>,
    /// When it began to come in, or its last wait ended.
    since: Option<Instant>,
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
            let others = self.pool.waiting.load(Ordering::Relaxed) > 0;
            return match others && since.elapsed() > self.pool.patience {
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
        let free = self.pool.shared.clone().try_acquire_many_owned(missing);
        match free {
            Ok(pages) => self.add(pages),
            Err(_) => self.wait(missing).await?,
        }
        Ok(())
    }

    /// Gives back what is not used, as no more is expected.
    pub(super) fn settle(&mut self) {
        self.expected = 0;
        let surplus = self.pages().saturating_sub(self.bytes.div_ceil(PAGE));
        if let Some(shared) = &mut self.shared {
            drop(shared.split(surplus));
        }
    }

    fn pages(&self) -> usize {
        let shared = self.shared.as_ref();
        shared.map_or(0, OwnedSemaphorePermit::num_permits)
    }

    async fn wait(&mut self, missing: u32) -> Result<(), Error> {
        let pool = self.pool.clone();
        let _waiting = Waiting::at(&pool.waiting);
        let more = async {
            tokio::select! {
                Ok(pages) = pool.shared.clone().acquire_many_owned(missing) => self.add(pages),
                Ok(turn) = pool.reserve.clone().acquire_owned() => self.reserve = Some(turn),
            }
        };
        tokio::time::timeout(pool.patience / 2, more)
            .await
            .map_err(|_| Error::MemoryFull)?;
        self.since = Some(Instant::now());
        Ok(())
    }

    fn add(&mut self, pages: OwnedSemaphorePermit) {
        match &mut self.shared {
            Some(held) => held.merge(pages),
            None => self.shared = Some(pages),
        }
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
