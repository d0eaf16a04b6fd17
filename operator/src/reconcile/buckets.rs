//! Where clients keep what is outside their database, as it is reached now: also what workloads left there that
//! the spec no longer names.

use docket_contract::S3Storage;
use docket_crds::{DocumentTenant, SecretReference};

use super::named_secrets::{NamedSecrets, SecretField};
use crate::cache::referenced_secrets::Entries;
use crate::content::Content;
use crate::content_locations::{ContentLocation, ContentLocations};
use crate::context::Context;
use crate::error::Result;
use crate::identified::Identified;

/// The buckets of a tenant's clients.
#[derive(Clone, Copy)]
pub(super) struct Buckets<'a> {
    tenant: &'a Identified<DocumentTenant>,
    /// Of a workload that the spec names.
    current: Option<(&'static str, &'a Content)>,
    ctx: &'a Context,
}

impl<'a> Buckets<'a> {
    /// Those that the spec names as `current`, and whatever the registry says.
    pub(super) fn new(
        tenant: &'a Identified<DocumentTenant>,
        current: Option<(&'static str, &'a Content)>,
        ctx: &'a Context,
    ) -> Self {
        Self {
            tenant,
            current,
            ctx,
        }
    }

    /// All that have something of a client, of which the registry says `locations`: one behind an endpoint that the spec
    /// no longer names, too.
    ///
    /// # Errors
    /// A Secret that is not there, or cannot be used.
    pub(super) async fn of(&self, locations: &ContentLocations) -> Result<Vec<Content>> {
        let mut all: Vec<Content> = Vec::new();
        all.extend(self.current.map(|(_, content)| content.clone()));
        for (workload, location) in locations.each() {
            let is_current =
                |(name, content): (&str, &Content)| name == workload && is_at(content, location);
            if !self.current.is_some_and(is_current) {
                all.push(self.open(workload, location).await?);
            }
        }
        Ok(all)
    }

    /// The one that has what a client keeps of `workload`, which the spec no longer names, if any has.
    ///
    /// # Errors
    /// As of [`of`](Self::of).
    pub(super) async fn left_by(
        &self,
        workload: &str,
        locations: &ContentLocations,
    ) -> Result<Option<Content>> {
        for (name, location) in locations.each() {
            if name == workload {
                return self.open(name, location).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn open(&self, workload: &str, location: &ContentLocation) -> Result<Content> {
        let path = format!("spec.workloads.{workload}, as it was before it was taken out,");
        let field = SecretField::of_credentials(&path);
        let secret = SecretReference {
            name: location.secret.clone(),
        };
        let storage = S3Storage {
            bucket: location.bucket.clone(),
            endpoint: location.endpoint.clone(),
            region: location.region.clone(),
        };
        let parse = |entries: &Entries| Content::from_secret(&storage, entries);
        NamedSecrets::of(self.tenant, self.ctx)
            .read(&secret, field, parse)
            .await
    }
}

/// Whether `location` is the place of `content`.
fn is_at(content: &Content, location: &ContentLocation) -> bool {
    let storage = content.storage();
    (&storage.bucket, &storage.endpoint) == (&location.bucket, &location.endpoint)
}
