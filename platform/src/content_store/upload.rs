//! An object on its way into the store.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::memory::ClientUploadMemory;
use super::part::{Part, Parts};
use crate::error::Error;

/// An object that disappears again when it is dropped without being [kept](Self::keep), whether
/// by an error, a panic or a caller that hung up.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    location: Path,
    memory: ClientUploadMemory,
    /// Bytes that are still to come at most, as far as that is known.
    expected: u64,
    progress: Progress,
}

enum Progress {
    /// Fewer bytes than a part; nothing was sent yet.
    Small(Part),
    /// What came last, and all before it.
    Large(Part, Parts),
    /// In the store, or perhaps: the request that stores it was sent.
    Stored,
    Kept,
    /// What comes in is not stored.
    Discarded,
}

impl Upload {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        location: Path,
        memory: ClientUploadMemory,
    ) -> Self {
        Self {
            store,
            location,
            progress: Progress::Small(Part::new(&memory)),
            memory,
            expected: u64::MAX,
        }
    }

    /// Says that no more than `bytes` will come; to be said before the first one.
    pub fn expect(&mut self, bytes: u64) {
        self.expected = bytes;
    }

    /// The same, but nothing of it is stored; to be said before the first byte.
    pub fn discarded(mut self) -> Self {
        self.progress = Progress::Discarded;
        self
    }

    /// Adds `bytes`; waits while too much is under way, of this upload or of all.
    ///
    /// # Errors
    /// When the store does not take a part, or there is no room for one. Nothing may be added then.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (Progress::Small(part) | Progress::Large(part, _)) = &mut self.progress else {
                break;
            };
            let before = bytes.len();
            part.fill(&mut bytes, self.expected).await?;
            let taken = (before - bytes.len()) as u64;
            self.expected = self.expected.saturating_sub(taken);
            if !part.is_full() {
                continue;
            }
            let full = std::mem::replace(part, Part::new(&self.memory));
            if let Progress::Small(_) = self.progress {
                let parts = Parts::new(self.store.put_multipart(&self.location).await?);
                self.progress = Progress::Large(Part::new(&self.memory), parts);
            }
            if let Progress::Large(_, parts) = &mut self.progress {
                parts.send(full).await?;
            }
        }
        Ok(())
    }

    /// Ends the object: afterwards it can be read.
    pub async fn finish(&mut self) -> Result<(), Error> {
        match &mut self.progress {
            Progress::Small(part) => {
                let payload = std::mem::replace(part, Part::new(&self.memory)).close();
                self.progress = Progress::Stored;
                self.store.put(&self.location, payload).await?;
            }
            Progress::Large(part, parts) => {
                if !part.is_empty() {
                    let last = std::mem::replace(part, Part::new(&self.memory));
                    parts.send(last).await?;
                }
                parts.finish().await?;
                self.progress = Progress::Stored;
            }
            Progress::Stored | Progress::Kept | Progress::Discarded => {}
        }
        Ok(())
    }

    /// From now on the object stays: something that refers to it is about to be committed.
    pub fn keep(&mut self) {
        self.progress = Progress::Kept;
    }

    /// It is certain that nothing refers to the object that was [kept](Self::keep).
    pub fn give_up(&mut self) {
        self.progress = Progress::Stored;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let progress = std::mem::replace(&mut self.progress, Progress::Kept);
        if matches!(
            progress,
            Progress::Kept | Progress::Small(_) | Progress::Discarded
        ) {
            return;
        }
        let (store, location) = (self.store.clone(), self.location.clone());
        // The request may be gone already, so the cleaning must not be a part of it.
        tokio::spawn(async move {
            let cleaned = async {
                if let Progress::Large(part, parts) = progress {
                    drop(part);
                    let whole = parts.may_be_whole();
                    parts.abort().await.or_else(absent)?;
                    if !whole {
                        return Ok(());
                    }
                }
                store.delete(&location).await.or_else(absent)
            };
            if let Err(error) = cleaned.await {
                tracing::warn!(%location, %error, "an unfinished object was left behind");
            }
        });
    }
}

fn absent(error: object_store::Error) -> object_store::Result<()> {
    match error {
        object_store::Error::NotFound { .. } => Ok(()),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests;
