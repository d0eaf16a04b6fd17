//! The content of documents in the object store; the operator only ever deletes it.

use std::collections::BTreeMap;
use std::time::Duration;

use docket_contract::S3Storage;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::ByteString;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, RetryConfig};
use secrecy::{ExposeSecret, SecretString};

use crate::conditions::ConditionType;
use crate::error::{Error, Problem};
use crate::fence::Fence;

/// Key of the Secret that holds the access key's id, and the environment variable it becomes.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Key of the Secret that holds the access key itself, and the environment variable it becomes.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// How long one request is tried again: a deletion that waits for a store that is down keeps others from
/// their turn, and is itself tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often.
const RETRIES: usize = 2;

/// A tenant's bucket, and the key to it. A client of S3 is large, and made only to delete.
#[derive(Clone, Debug)]
pub struct Content {
    storage: S3Storage,
    access_key_id: String,
    secret_access_key: SecretString,
}

impl Content {
    /// The bucket of `storage` with the credentials of a Secret.
    ///
    /// # Errors
    /// A sentence that names the key that is missing.
    pub fn from_secret(
        storage: &S3Storage,
        data: &BTreeMap<String, ByteString>,
    ) -> Result<Self, String> {
        let value = |key: &str| {
            data.get(key)
                .and_then(|bytes| std::str::from_utf8(&bytes.0).ok())
                .filter(|text| !text.is_empty())
                .ok_or_else(|| format!("it has no key {key:?}, or an empty one"))
        };
        Ok(Self {
            storage: storage.clone(),
            access_key_id: value(ACCESS_KEY_ID)?.to_owned(),
            secret_access_key: value(SECRET_ACCESS_KEY)?.into(),
        })
    }

    fn store(&self) -> object_store::Result<AmazonS3> {
        let storage = &self.storage;
        AmazonS3Builder::new()
            .with_bucket_name(&storage.bucket)
            .with_endpoint(&storage.endpoint)
            .with_region(&storage.region)
            .with_allow_http(storage.endpoint.starts_with("http://"))
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(self.secret_access_key.expose_secret())
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: PATIENCE,
                ..RetryConfig::default()
            })
            .build()
    }

    /// Deletes every object of the client whose schema is `schema`, while `fence` is open.
    ///
    /// # Errors
    /// Transient ones: the store does not answer or refuses. What was deleted stays deleted.
    pub async fn delete_all(&self, schema: &str, fence: &Fence) -> Result<(), Error> {
        self.delete_in(schema, fence.clone()).await.map_err(|error| {
            Error::Transient(Problem::new(
                ConditionType::CredentialsReady,
                "ObjectStoreUnavailable",
                format!(
                    "The documents of {schema} could not be deleted; check spec.storage.s3 and its Secret. \
                     The operator tries again. The object store said: {error}"
                ),
            ))
        })
    }

    async fn delete_in(&self, schema: &str, fence: Fence) -> object_store::Result<()> {
        let store = self.store()?;
        let objects = store
            .list(Some(&Path::from(schema)))
            .and_then(move |object| {
                std::future::ready(may_delete(&fence).map(|()| object.location))
            });
        store
            .delete_stream(objects.boxed())
            .try_for_each(|_| async { Ok(()) })
            .await
    }
}

fn may_delete(fence: &Fence) -> object_store::Result<()> {
    fence
        .check()
        .map_err(|passed| object_store::Error::Generic {
            store: "S3",
            source: passed.into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_left_for_the_next_try_before_a_minute_is_over() {
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The kernel takes connections; nobody reads what comes by them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let storage = S3Storage {
            bucket: "acme".into(),
            endpoint: format!("http://{}", silent.local_addr().expect("an address")),
            region: "us-east-1".into(),
        };
        let key = || ByteString(b"key".to_vec());
        let secret = [ACCESS_KEY_ID, SECRET_ACCESS_KEY].map(|name| (name.to_owned(), key()));
        let content = Content::from_secret(&storage, &secret.into()).expect("a whole Secret");
        let minute = Duration::from_secs(60);
        let fence = Fence::open();
        let deletion = content.delete_all("acme_globex", &fence);
        let outcome = tokio::time::timeout(minute, deletion).await;
        let error = outcome.expect("it is given up").expect_err("no answer");
        assert!(error.is_transient() && error.to_string().contains("acme_globex"));
    }
}
