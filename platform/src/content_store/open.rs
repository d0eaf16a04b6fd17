//! From the tenant's configuration to an object store.

use std::env::VarError;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use docket_contract::{FolderStorage, S3Storage, Storage};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::{ClientOptions, RetryConfig};

use super::traced::Traced;
use super::{ContentStore, UploadMemory};

/// What the environment may hold of a key.
const CREDENTIALS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

const CONNECT: Duration = Duration::from_secs(2);
const RETRIES: usize = 3;

impl ContentStore {
    /// `timeout` is that of a request. It bounds retries and the silence of a server, not the length of a
    /// transfer.
    ///
    /// # Errors
    /// When the folder cannot be made, or the bucket's settings make no sense.
    pub fn open(
        storage: &Storage,
        timeout: Duration,
        memory: UploadMemory,
    ) -> anyhow::Result<Self> {
        Ok(match storage {
            Storage::S3(s3) => Self {
                store: Arc::new(bucket(s3, timeout)?),
                folder: None,
                memory,
            },
            Storage::Folder(FolderStorage { path }) => {
                std::fs::create_dir_all(path)
                    .with_context(|| format!("the folder {path} cannot be made"))?;
                // What was acknowledged must survive a power cut as it would in S3.
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Self {
                    store: Arc::new(store),
                    folder: Some(path.into()),
                    memory,
                }
            }
        })
    }
}

fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn bucket(s3: &S3Storage, timeout: Duration) -> anyhow::Result<AmazonS3> {
    // Shorter, so that a request to a silent store is told so before its own time is up.
    let timeout = timeout.mul_f64(0.8);
    // A limit on the whole transfer would cut off large objects.
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_read_timeout(timeout)
        .with_timeout_disabled();
    let retry = RetryConfig {
        max_retries: RETRIES,
        retry_timeout: timeout,
        ..Default::default()
    };
    let settings = [&s3.endpoint, &s3.region, &s3.bucket];
    // The signer of requests panics at a character that no header can have.
    ensure!(
        settings.iter().all(|text| is_line(text)),
        "the endpoint, the region or the name of the bucket has a control character"
    );
    let mut builder = AmazonS3Builder::from_env();
    for name in CREDENTIALS {
        let value = match std::env::var(name) {
            Ok(value) => value,
            Err(VarError::NotPresent) => continue,
            Err(VarError::NotUnicode(_)) => bail!("{name} is not UTF-8 text"),
        };
        // A Secret that was made from a file has the end of its line.
        let value = value.trim();
        ensure!(is_line(value), "{name} has a control character inside");
        builder = builder.with_config(name.to_ascii_lowercase().parse()?, value);
    }
    builder
        .with_client_options(client)
        .with_http_connector(Traced)
        .with_retry(retry)
        .with_allow_http(s3.endpoint.starts_with("http://"))
        .with_endpoint(&s3.endpoint)
        .with_region(&s3.region)
        .with_bucket_name(&s3.bucket)
        .build()
        .with_context(|| format!("the bucket {} cannot be used", s3.bucket))
}
