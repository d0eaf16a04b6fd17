//! The content of documents in the object store; the operator only ever deletes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use docket_contract::S3Storage;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::ByteString;
use object_store::ObjectStore;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;

use crate::conditions::ConditionType;
use crate::error::{Error, Problem};
use crate::fence::Fence;

/// Key of the Secret that holds the access key's id, and the environment variable it becomes.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Key of the Secret that holds the access key itself, and the environment variable it becomes.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// A tenant's bucket.
#[derive(Clone, Debug)]
pub struct Content(Arc<AmazonS3>);

impl Content {
    /// The bucket of `storage` with the credentials of a Secret.
    ///
    /// # Errors
    /// A sentence that names the key that is missing, or what is wrong with the storage.
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
        AmazonS3Builder::new()
            .with_bucket_name(&storage.bucket)
            .with_endpoint(&storage.endpoint)
            .with_region(&storage.region)
            .with_allow_http(storage.endpoint.starts_with("http://"))
            .with_access_key_id(value(ACCESS_KEY_ID)?)
            .with_secret_access_key(value(SECRET_ACCESS_KEY)?)
            .build()
            .map(|store| Self(Arc::new(store)))
            .map_err(|error| error.to_string())
    }

    /// Deletes every object of the client whose schema is `schema`, while `fence` is open.
    ///
    /// # Errors
    /// Transient ones: the store does not answer or refuses. What was deleted stays deleted.
    pub async fn delete_all(&self, schema: &str, fence: &Fence) -> Result<(), Error> {
        let fence = fence.clone();
        let objects = self
            .0
            .list(Some(&Path::from(schema)))
            .and_then(move |object| {
                std::future::ready(may_delete(&fence).map(|()| object.location))
            });
        self.0
            .delete_stream(objects.boxed())
            .try_for_each(|_| async { Ok(()) })
            .await
            .map_err(|error| {
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
}

fn may_delete(fence: &Fence) -> object_store::Result<()> {
    fence
        .check()
        .map_err(|passed| object_store::Error::Generic {
            store: "S3",
            source: passed.into(),
        })
}
