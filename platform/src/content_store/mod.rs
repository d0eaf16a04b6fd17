//! Where bytes are: an S3 bucket or a folder, under `<schema>/<content key>`.

mod memory;
mod open;
mod owner;
mod part;
mod remove;
mod traced;
mod upload;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};
use uuid::Uuid;

pub use memory::UploadMemory;
pub use remove::Object;
pub use upload::Upload;

use crate::error::Error;
use crate::tenant::Client;

/// Prefix that no schema has; listing it shows that the bucket exists and answers.
const PROBE: &str = "docket-health-probe";

/// Size of a part; a smaller object is one plain PUT. S3 takes no smaller parts, and 10 000 of
/// these are 78 GiB.
const PART: usize = 8 * 1024 * 1024;

/// Bytes as they arrive.
pub type Bytestream = BoxStream<'static, object_store::Result<Bytes>>;

/// The object store of the tenant.
#[derive(Clone, Debug)]
pub struct ContentStore {
    store: Arc<dyn ObjectStore>,
    folder: Option<PathBuf>,
    memory: UploadMemory,
}

impl ContentStore {
    /// Starts an object of `client`; nothing of it stays unless it is [kept](Upload::keep).
    pub fn upload(&self, client: &Client, key: Uuid) -> Upload {
        let location = location(client, key);
        Upload::new(
            self.store.clone(),
            location,
            self.memory.of_client(&client.schema),
        )
    }

    /// `None` when there is no such object.
    pub async fn find(&self, client: &Client, key: Uuid) -> Result<Option<Object>, Error> {
        match self.store.head(&location(client, key)).await {
            Ok(meta) => Ok(Object::of(&meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of an object, or of a part of it that is not empty, as they arrive.
    pub async fn read(
        &self,
        client: &Client,
        key: Uuid,
        part: Option<Range<u64>>,
    ) -> Result<Bytestream, Error> {
        let options = GetOptions {
            range: part.map(GetRange::Bounded),
            ..Default::default()
        };
        match self.store.get_opts(&location(client, key), options).await {
            Ok(object) => Ok(object.into_stream()),
            Err(object_store::Error::NotFound { .. }) => Err(Error::ContentMissing),
            Err(error) => Err(error.into()),
        }
    }

    /// Name of this component in the answer of `/health`.
    pub fn component(&self) -> &'static str {
        match self.folder {
            Some(_) => "file_system",
            None => "object_store",
        }
    }

    /// Whether the store answers; the sentence says why not.
    pub async fn check(&self) -> Result<(), String> {
        if let Some(folder) = &self.folder {
            let found = tokio::fs::metadata(folder)
                .await
                .map_err(|error| error.to_string())?;
            return found
                .is_dir()
                .then_some(())
                .ok_or_else(|| "it is not a folder".into());
        }
        match self.store.list(Some(&Path::from(PROBE))).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.to_string()),
        }
    }
}

fn location(client: &Client, key: Uuid) -> Path {
    Path::from_iter([client.schema.as_str(), &key.to_string()])
}
