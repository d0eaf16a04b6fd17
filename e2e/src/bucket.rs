//! The bucket of the development stack that tests store content in.

use anyhow::Result;
use docket_contract::OWNER_OBJECT;
use futures::TryStreamExt;
use kube::Client;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::objects::Objects;
use crate::scenario::DEV_NAMESPACE;

/// Number of contents of the client whose schema is `schema`.
///
/// # Errors
/// The bucket cannot be listed.
pub async fn count(client: &Client, schema: &str) -> Result<usize> {
    let objects = Objects::new(client.clone(), DEV_NAMESPACE);
    let address = objects.address("s3").await?;
    let store = AmazonS3Builder::new()
        .with_bucket_name("e2e")
        .with_endpoint(format!("http://{address}:7070"))
        .with_region("us-east-1")
        .with_allow_http(true)
        .with_access_key_id(objects.secret("docket-s3", "AWS_ACCESS_KEY_ID").await?)
        .with_secret_access_key(objects.secret("docket-s3", "AWS_SECRET_ACCESS_KEY").await?)
        .build()?;
    let found: Vec<ObjectMeta> = store.list(Some(&Path::from(schema))).try_collect().await?;
    let is_content = |it: &&ObjectMeta| it.location.filename() != Some(OWNER_OBJECT);
    Ok(found.iter().filter(is_content).count())
}
