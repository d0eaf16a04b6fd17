//! Whether what a client has in a bucket is ours to delete: a copy of the database names the same clients.

use docket_contract::{ContentOwner, NOBODY, Ownership, Refusal};
use docket_crds::{ConditionType, DocumentTenant, annotations};
use kube::ResourceExt;

use crate::content::Content;
use crate::database::Database;
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::leadership::fence::Fence;

/// What this tenant is to content in buckets.
#[derive(Clone, Debug)]
pub(super) struct ContentClaim {
    ours: ContentOwner,
    take_over: Vec<String>,
}

impl ContentClaim {
    /// That of `tenant`, whose clients are in `database`.
    ///
    /// # Errors
    /// The database does not answer, or does not tell.
    pub(super) async fn of(
        tenant: &Identified<DocumentTenant>,
        database: &Database,
    ) -> Result<Self> {
        let name = database.name_of_itself().await?;
        Ok(Self {
            ours: ContentOwner::new(&name, tenant.uid()),
            take_over: take_over(tenant),
        })
    }

    /// To be asked before anything of the client with the schema `schema` is deleted from `bucket`.
    ///
    /// # Errors
    /// A problem that says whose it is and how to take it over, or a store that does not answer.
    pub(super) async fn check(&self, bucket: &Content, schema: &str) -> Result<()> {
        let marker = bucket.owner(schema).await?;
        match self.ours.ask(marker.as_ref(), &self.take_over) {
            Ownership::Ours | Ownership::TakenOver(_) => Ok(()),
            Ownership::Theirs(owner) => Err(refused(
                Refusal::ContentOwnedByAnother,
                schema,
                &owner.to_string(),
            )),
            Ownership::Nobodys => match bucket.is_empty(schema).await? {
                true => Ok(()),
                false => Err(refused(Refusal::ContentOwnerUnknown, schema, "")),
            },
        }
    }

    /// Whether something in `bucket` says that the content of `schema` there is ours.
    ///
    /// # Errors
    /// A store that does not answer.
    pub(super) async fn is_in(&self, bucket: &Content, schema: &str) -> Result<bool> {
        let marker = bucket.owner(schema).await?;
        let ownership = self.ours.ask(marker.as_ref(), &self.take_over);
        Ok(matches!(
            ownership,
            Ownership::Ours | Ownership::TakenOver(_)
        ))
    }

    /// Says in `bucket` that the tenant lets go of the content of `schema` and keeps it, so that whoever adopts the
    /// schema in the same database has it then.
    ///
    /// # Errors
    /// A store that does not answer.
    pub(super) async fn let_go(&self, bucket: &Content, schema: &str, fence: &Fence) -> Result<()> {
        let marker = bucket.owner(schema).await?;
        match (marker.as_ref(), self.ours.ask(marker.as_ref(), &[])) {
            (Some(owner), Ownership::Ours) => {
                bucket.write_owner(schema, &owner.letting_go(), fence).await
            }
            _ => Ok(()),
        }
    }
}

/// The owners whose content `tenant` asks to take over.
pub(super) fn take_over(tenant: &DocumentTenant) -> Vec<String> {
    let listed = annotations::listed(tenant.annotations(), annotations::TAKE_OVER_CONTENT);
    listed.map(str::to_owned).collect()
}

fn refused(reason: Refusal, schema: &str, because: &str) -> Error {
    let message = sentence(reason, &format!("schema {schema}"), because);
    Error::Permanent(Problem::new(
        ConditionType::CredentialsReady,
        reason.as_str(),
        message,
    ))
}

/// What is wrong with the content of `whose`, and what to do.
pub(super) fn sentence(reason: Refusal, whose: &str, because: &str) -> String {
    let take_over = annotations::TAKE_OVER_CONTENT;
    match reason {
        Refusal::ContentOwnedByAnother => format!(
            "Nothing is deleted of the content of {whose}: it belongs to {because}, another database or tenant, which may \
             still need it. Once that one is out of use for good, take it over: annotate the tenant with \
             {take_over}={because}."
        ),
        Refusal::ContentOwnerUnknown => format!(
            "Nothing is deleted of the content of {whose}: nothing in the bucket says which database and tenant it \
             belongs to. If no other uses it, annotate the tenant with {take_over}={NOBODY}."
        ),
        Refusal::TooMuchUnnamed => format!(
            "Nothing is swept of the content of {whose}: {because} objects have no row that names them, far more than usual. If rows \
             were lost, restore them; if not, annotate the tenant with {}=N, the most that may go.",
            annotations::SWEEP_UP_TO
        ),
    }
}
