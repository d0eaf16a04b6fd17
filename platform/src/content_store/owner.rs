//! Whose the content of a client is, as an object below its prefix says.

use anyhow::Context as _;
use docket_contract::{ContentOwner, OWNER_OBJECT};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt as _, PutMode};

use super::ContentStore;
use crate::tenant::Client;

impl ContentStore {
    /// Whose the content of `client` is; `None` where nothing says so.
    ///
    /// # Errors
    /// When the store does not answer, or the object is none of ours.
    pub(crate) async fn owner(&self, client: &Client) -> anyhow::Result<Option<ContentOwner>> {
        let bytes = match self.store.get(&marker(client)).await {
            Ok(object) => object.bytes().await?,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let owner = ContentOwner::parse(&bytes)
            .with_context(|| format!("{} says nothing of an owner", marker(client)))?;
        Ok(Some(owner))
    }

    /// Says that the content of `client` is that of `owner`, unless something says whose it is.
    pub(crate) async fn claim(&self, client: &Client, owner: &ContentOwner) -> Result<(), Error> {
        match self.put(client, owner, PutMode::Create).await {
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(()),
            result => result,
        }
    }

    /// Says that the content of `client` is that of `owner` now, whoever had it.
    pub(crate) async fn hand_over(
        &self,
        client: &Client,
        owner: &ContentOwner,
    ) -> Result<(), Error> {
        self.put(client, owner, PutMode::Overwrite).await
    }

    async fn put(&self, client: &Client, owner: &ContentOwner, mode: PutMode) -> Result<(), Error> {
        let text = owner.text().into();
        self.store
            .put_opts(&marker(client), text, mode.into())
            .await?;
        Ok(())
    }
}

fn marker(client: &Client) -> Path {
    Path::from_iter([client.schema.as_str(), OWNER_OBJECT])
}
