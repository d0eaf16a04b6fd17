//! The contents: an S3 server over a folder, in which a folder is a bucket and a file an object.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use docket_contract::{ContentOwner, OWNER_OBJECT};
use docket_loopback::free_address;
use docket_testing_support::{ObjectStoreSetup, Process, object_store};

/// The one bucket.
pub const BUCKET: &str = "docket";
/// Who may do everything with it, and the password.
pub const KEY: &str = "for-tests-only";

/// A server; it ends on drop.
#[derive(Debug)]
pub struct ObjectStore {
    _process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl ObjectStore {
    /// Starts a server over a folder in `folder`.
    ///
    /// # Errors
    /// The command is missing.
    pub fn start(folder: &Path) -> Result<Self> {
        let data = folder.join("s3");
        let address = free_address()?;
        let command = object_store(&ObjectStoreSetup {
            address,
            data: &data,
            bucket: BUCKET,
            region: "us-east-1",
            key_id: KEY,
            key: KEY,
        })?;
        Ok(Self {
            _process: Process::start(command, folder.join("s3.log"))?,
            address,
            folder: data,
        })
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says whose the content of a client is, as the API does, past the server.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn put_owner(&self, schema: &str, owner: &ContentOwner) -> Result<()> {
        let folder = self.folder.join(BUCKET).join(schema);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(OWNER_OBJECT), owner.text())?;
        Ok(())
    }

    /// Takes away what says whose the content of a client is.
    ///
    /// # Errors
    /// There is nothing.
    pub fn remove_owner(&self, schema: &str) -> Result<()> {
        let folder = self.folder.join(BUCKET).join(schema);
        Ok(std::fs::remove_file(folder.join(OWNER_OBJECT))?)
    }

    /// Returns once the server takes connections.
    ///
    /// # Errors
    /// It does not within a minute.
    pub async fn listens(&self) -> Result<()> {
        let connected = async {
            while tokio::net::TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        Ok(tokio::time::timeout(Duration::from_secs(60), connected).await?)
    }

    /// Whose the content of a client is, if anything says so.
    #[must_use]
    pub fn owner(&self, schema: &str) -> Option<ContentOwner> {
        let file = self.folder.join(BUCKET).join(schema).join(OWNER_OBJECT);
        ContentOwner::parse(&std::fs::read(file).ok()?).ok()
    }

    /// Stores an object of a client, past the server.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn put(&self, schema: &str) -> Result<()> {
        let folder = self.folder.join(BUCKET).join(schema);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("document"), schema)?;
        Ok(())
    }

    /// Whether the object that [`put`](Self::put) made is there and is whole.
    #[must_use]
    pub fn has(&self, schema: &str) -> bool {
        let file = self.folder.join(BUCKET).join(schema).join("document");
        std::fs::read_to_string(file).is_ok_and(|text| text == schema)
    }
}
