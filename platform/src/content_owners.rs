//! Whether the content of a client is ours to delete: a copy of the database has the same clients and is told
//! apart by what stands beside the content.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use docket_contract::{ContentOwner, Ownership, Refusal};
use futures::StreamExt as _;
use tracing::Instrument as _;

use crate::content_store::ContentStore;
use crate::database::Database;
use crate::maintenance::Refused;
use crate::platform::Platform;
use crate::tenant::Client;

/// The owners of what a tenant's clients have in a store.
#[derive(Debug)]
pub struct ContentOwners {
    database: Arc<Database>,
    content: ContentStore,
    tenant_uid: String,
    take_over: Vec<String>,
    /// Schemas of clients whose content is known to have an owner.
    claimed: Mutex<HashSet<String>>,
}

impl ContentOwners {
    /// Of the content in `content`.
    pub fn new(platform: &Platform, content: &ContentStore) -> Self {
        let tenant = &platform.tenant;
        Self {
            database: platform.database.clone(),
            content: content.clone(),
            tenant_uid: tenant.uid.clone(),
            take_over: tenant.take_over_content.clone(),
            claimed: Mutex::default(),
        }
    }

    /// The content.
    pub fn content(&self) -> &ContentStore {
        &self.content
    }

    /// Sees to it, beside the request, that content that is about to be stored for `client` has an owner. What
    /// fails is tried again with the next.
    pub fn claim_soon(self: &Arc<Self>, client: &Arc<Client>) {
        if !self.begin_claim(client) {
            return;
        }
        let (owners, client) = (self.clone(), client.clone());
        let claiming = async move {
            if let Err(error) = owners.claim(&client).await {
                tracing::warn!(
                    error = format!("{error:#}"),
                    client = client.name,
                    "content has no owner yet"
                );
                owners.claimed().remove(&client.schema);
            }
        };
        tokio::spawn(claiming.instrument(tracing::info_span!(parent: None, "claim_content")));
    }

    /// Whether nobody does it or did it already.
    fn begin_claim(&self, client: &Client) -> bool {
        let mut claimed = self.claimed();
        !claimed.contains(&client.schema) && claimed.insert(client.schema.clone())
    }

    fn claimed(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.claimed.lock().expect("no holder of this lock panics")
    }

    async fn claim(&self, client: &Client) -> anyhow::Result<()> {
        if self.content.owner(client).await?.is_none() {
            let ours = self.ours(client).await?;
            self.content.claim(client, &ours).await?;
        }
        Ok(())
    }

    /// To be asked before anything of `client` is deleted.
    ///
    /// # Errors
    /// [`Refused`] where it is another's, or nobody's; others where that is not known.
    pub async fn check(&self, client: &Client) -> anyhow::Result<()> {
        let ours = self.ours(client).await?;
        let marker = self.content.owner(client).await?;
        match ours.ask(marker.as_ref(), &self.take_over) {
            Ownership::Ours => Ok(()),
            Ownership::TakenOver(now) => {
                tracing::warn!(
                    client = client.name,
                    owner = %now,
                    before = marker.map(|it| it.to_string()),
                    "content was taken over"
                );
                Ok(self.content.hand_over(client, &now).await?)
            }
            Ownership::Theirs(owner) => Err(Refused {
                reason: Refusal::ContentOwnedByAnother,
                because: owner.to_string(),
            }
            .into()),
            Ownership::Nobodys => match self.content.list(client).next().await {
                None => Ok(()),
                Some(object) => {
                    object?;
                    Err(Refused {
                        reason: Refusal::ContentOwnerUnknown,
                        because: String::new(),
                    }
                    .into())
                }
            },
        }
    }

    /// What this server is to the content of `client`.
    async fn ours(&self, client: &Client) -> anyhow::Result<ContentOwner> {
        let database = self.database.name_of_itself(client).await?;
        Ok(ContentOwner::new(&database, &self.tenant_uid))
    }
}
