//! An object on its way into the store.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};

/// Size of a part; a smaller object is one plain PUT. S3 takes no smaller parts, and 10 000 of
/// these are 78 GiB.
const PART: usize = 8 * 1024 * 1024;
/// Parts of one upload that are under way at once: with the one being filled, 24 MiB of memory.
const PARTS_AT_ONCE: usize = 2;

/// An object that disappears again when it is dropped without being [kept](Self::keep), whether
/// by an error, a panic or a caller that hung up.
pub(crate) struct Upload {
    store: Arc<dyn ObjectStore>,
    location: Path,
    progress: Progress,
}

enum Progress {
    /// Fewer bytes than a part; nothing was sent yet.
    Small(Vec<Bytes>, usize),
    Parts(WriteMultipart),
    /// In the store, or perhaps: the request that stores it was sent.
    Stored,
    Kept,
    /// What comes in is not stored.
    Discarded,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, location: Path) -> Self {
        Self {
            store,
            location,
            progress: Progress::Small(Vec::new(), 0),
        }
    }

    /// The same, but nothing of it is stored; to be said before the first byte.
    pub(crate) fn discarded(mut self) -> Self {
        self.progress = Progress::Discarded;
        self
    }

    /// Adds `bytes`; waits while too much is under way.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        if let Progress::Small(chunks, size) = &mut self.progress {
            *size += bytes.len();
            chunks.push(bytes);
            if *size < PART {
                return Ok(());
            }
            let chunks = std::mem::take(chunks);
            let parts = self.store.put_multipart(&self.location).await?;
            let mut parts = WriteMultipart::new_with_chunk_size(parts, PART);
            chunks.into_iter().for_each(|chunk| parts.put(chunk));
            self.progress = Progress::Parts(parts);
        } else if let Progress::Parts(parts) = &mut self.progress {
            parts.wait_for_capacity(PARTS_AT_ONCE).await?;
            parts.put(bytes);
        }
        Ok(())
    }

    /// Ends the object: afterwards it can be read.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        let done = match self.progress {
            Progress::Discarded => Progress::Discarded,
            _ => Progress::Stored,
        };
        match std::mem::replace(&mut self.progress, done) {
            Progress::Small(chunks, _) => {
                self.store
                    .put(&self.location, PutPayload::from_iter(chunks))
                    .await?;
            }
            Progress::Parts(parts) => {
                parts.finish().await?;
            }
            Progress::Stored | Progress::Kept | Progress::Discarded => {}
        }
        Ok(())
    }

    /// From now on the object stays: something that refers to it is about to be committed.
    pub(crate) fn keep(&mut self) {
        self.progress = Progress::Kept;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let progress = std::mem::replace(&mut self.progress, Progress::Kept);
        if matches!(
            progress,
            Progress::Kept | Progress::Small(..) | Progress::Discarded
        ) {
            return;
        }
        let (store, location) = (self.store.clone(), self.location.clone());
        // The request may be gone already, so the cleaning must not be a part of it.
        tokio::spawn(async move {
            let cleaned = match progress {
                Progress::Parts(parts) => parts.abort().await,
                _ => store.delete(&location).await,
            };
            if let Err(error) = cleaned.or_else(absent) {
                tracing::warn!(%location, %error, "an unfinished object was left behind");
            }
        });
    }
}

fn absent(error: Error) -> Result<(), Error> {
    match error {
        Error::NotFound { .. } => Ok(()),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests;
