//! Bytes of an object that are on their way into the store.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload, PutPayloadMut};
use tokio::task::JoinSet;

use super::PART;
use super::memory::{ClientUploadMemory, Reservation};
use crate::error::Error;

/// Parts of one upload that are under way at once.
const AT_ONCE: usize = 2;
/// Bytes of a chunk that is copied: one that is kept as it came may hold on to much more memory.
const SMALL: usize = 16 * 1024;

/// A part that comes in.
#[derive(Debug)]
pub(super) struct Part {
    bytes: PutPayloadMut,
    reservation: Reservation,
}

impl Part {
    pub(super) fn new(memory: &ClientUploadMemory) -> Self {
        Self {
            bytes: PutPayloadMut::new(),
            reservation: memory.reservation(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.content_length() == PART
    }

    /// Takes from `bytes` what it lacks, where `expected` are still to come.
    pub(super) async fn fill(&mut self, bytes: &mut Bytes, expected: u64) -> Result<(), Error> {
        let missing = PART - self.bytes.content_length();
        let bytes = bytes.split_to(bytes.len().min(missing));
        let expected = usize::try_from(expected).map_or(PART, |expected| expected.min(PART));
        self.reservation.grow(bytes.len(), expected).await?;
        match bytes.len() {
            ..SMALL => self.bytes.extend_from_slice(&bytes),
            SMALL.. => self.bytes.push(bytes),
        }
        Ok(())
    }

    /// What to send. Its room is given back with its last byte: a connection that was given up may hold
    /// on to what it has not sent, for as long as the store is silent.
    pub(super) fn close(mut self) -> PutPayload {
        self.reservation.settle();
        let reservation = Arc::new(self.reservation);
        let held = |bytes| Held {
            bytes,
            _reservation: reservation.clone(),
        };
        let bytes = self.bytes.freeze().into_iter();
        bytes.map(held).map(Bytes::from_owner).collect()
    }
}

/// Bytes and the room that they are a part of.
struct Held {
    bytes: Bytes,
    _reservation: Arc<Reservation>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An object that is sent in parts.
#[derive(Debug)]
pub(super) struct Parts {
    upload: Box<dyn MultipartUpload>,
    under_way: JoinSet<object_store::Result<()>>,
    completing: bool,
}

impl Parts {
    pub(super) fn new(upload: Box<dyn MultipartUpload>) -> Self {
        Self {
            upload,
            under_way: JoinSet::new(),
            completing: false,
        }
    }

    /// Begins to send `part`; waits while too many are under way.
    pub(super) async fn send(&mut self, part: Part) -> object_store::Result<()> {
        self.wait_for_less_than(AT_ONCE).await?;
        self.under_way.spawn(self.upload.put_part(part.close()));
        Ok(())
    }

    /// Ends the object.
    pub(super) async fn finish(&mut self) -> object_store::Result<()> {
        self.wait_for_less_than(1).await?;
        self.completing = true;
        self.upload.complete().await?;
        Ok(())
    }

    /// Whether the object may be there: the request that ends it was sent.
    pub(super) fn may_be_whole(&self) -> bool {
        self.completing
    }

    /// Leaves no part of it in the store.
    pub(super) async fn abort(mut self) -> object_store::Result<()> {
        self.under_way.shutdown().await;
        self.upload.abort().await
    }

    async fn wait_for_less_than(&mut self, most: usize) -> object_store::Result<()> {
        while self.under_way.len() >= most {
            let Some(sent) = self.under_way.join_next().await else {
                break;
            };
            sent??;
        }
        Ok(())
    }
}
