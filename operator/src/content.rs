//! The content of documents in the object store; the operator only ever deletes it.

use std::collections::BTreeMap;

use docket_contract::S3Storage;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::ByteString;
use object_store::ObjectStore;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use secrecy::{ExposeSecret, SecretString};

use crate::conditions::ConditionType;
use crate::error::{Error, Problem};
use crate::fence::Fence;

/// Key of the Secret that holds the access key's id, and the environment variable it becomes.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Key of the Secret that holds the access key itself, and the environment variable it becomes.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";

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
