//! All objects of a client, and taking some away.

use futures::stream::BoxStream;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{Error, ObjectMeta};
use uuid::Uuid;

use super::{ContentStore, location};
use crate::tenant::Client;

/// An object under the key of a content.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// The last part of its name.
    pub key: Uuid,
    /// In bytes.
    pub size: u64,
    /// When it was written, to the second.
    pub modified: Timestamp,
}

impl Object {
    /// `None` for what has another name than a content: it is not ours to judge.
    pub(super) fn of(meta: &ObjectMeta) -> Option<Self> {
        let key = Uuid::parse_str(meta.location.filename()?).ok()?;
        let seconds = meta.last_modified.timestamp();
        Some(Self {
            key,
            size: meta.size,
            modified: Timestamp::from_second(seconds).ok()?,
        })
    }
}

impl ContentStore {
    /// The objects of `client`, a page of the store at a time.
    pub fn list(&self, client: &Client) -> BoxStream<'static, Result<Object, Error>> {
        let prefix = Path::from(client.schema.as_str());
        let objects = self.store.list(Some(&prefix));
        let objects = objects.filter_map(async |meta| match meta {
            Ok(meta) => Object::of(&meta).map(Ok),
            Err(error) => Some(Err(error)),
        });
        objects.boxed()
    }

    /// Removes what is under `keys`; what is not there is no error.
    pub async fn remove(&self, client: &Client, keys: Vec<Uuid>) -> Result<(), Error> {
        let locations: Vec<Path> = keys.into_iter().map(|key| location(client, key)).collect();
        let locations = stream::iter(locations).map(Ok).boxed();
        let mut removed = self.store.delete_stream(locations);
        while let Some(one) = removed.next().await {
            match one {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
