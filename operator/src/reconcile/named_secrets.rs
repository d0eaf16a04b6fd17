//! Reads the Secrets that a tenant names, each with the field that names it.

use docket_crds::ConditionType;
use docket_crds::{DocumentTenant, SecretReference};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use crate::cache::referenced_secrets::Entries;
use crate::context::Context;
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;

/// A field of the spec that names a Secret, and the condition that is not met without it.
#[derive(Clone, Copy)]
pub(super) struct SecretField {
    /// Its path, for sentences.
    pub path: &'static str,
    pub condition: ConditionType,
}

impl SecretField {
    /// One that credentials are made of.
    pub(super) const fn of_credentials(path: &'static str) -> Self {
        let condition = ConditionType::CredentialsReady;
        Self { path, condition }
    }

    /// One that collectors read.
    pub(super) const fn of_collectors(path: &'static str) -> Self {
        let condition = ConditionType::CollectorReady;
        Self { path, condition }
    }

    fn problem(self, reason: &'static str, message: String) -> Error {
        Error::Permanent(Problem::new(self.condition, reason, message))
    }
}

/// `spec.database`.
pub(super) const DATABASE: SecretField = SecretField {
    path: "spec.database.secretRef",
    condition: ConditionType::DatabaseReady,
};

/// The Secrets of a tenant's namespace; one is read again when the watch says that it changed.
pub(super) struct NamedSecrets<'a> {
    namespace: &'a str,
    ctx: &'a Context,
}

impl<'a> NamedSecrets<'a> {
    pub(super) fn of(tenant: &'a Identified<DocumentTenant>, ctx: &'a Context) -> Self {
        let namespace = tenant.namespace();
        Self { namespace, ctx }
    }

    /// What `parse` makes of the Secret that `field` names, if it names one.
    ///
    /// # Errors
    /// As of [`NamedSecrets::read`].
    pub(super) async fn read_optional<T>(
        &self,
        secret: Option<&SecretReference>,
        field: SecretField,
        parse: impl FnOnce(&Entries) -> Result<T, String>,
    ) -> Result<Option<T>> {
        match secret {
            Some(secret) => self.read(secret, field, parse).await.map(Some),
            None => Ok(None),
        }
    }

    /// What `parse` makes of the Secret that `field` names.
    ///
    /// # Errors
    /// There is none, or `parse` says why it cannot be used.
    pub(super) async fn read<T>(
        &self,
        SecretReference { name }: &SecretReference,
        field: SecretField,
        parse: impl FnOnce(&Entries) -> Result<T, String>,
    ) -> Result<T> {
        let (namespace, path) = (self.namespace, field.path);
        let cache = &self.ctx.referenced_secrets;
        let entries = match cache.get(namespace, name) {
            Some(known) => known,
            None => {
                let api: Api<Secret> = Api::namespaced(self.ctx.client.clone(), namespace);
                let Some(secret) = api.get_opt(name).await? else {
                    cache.forget(namespace, name);
                    let message = format!(
                        "Create the Secret {name} in namespace {namespace}: {path} names it."
                    );
                    return Err(field.problem("SecretNotFound", message));
                };
                cache.keep(secret)
            }
        };
        parse(&entries).map_err(|what| {
            let message = format!("The Secret {name}, named by {path}, cannot be used: {what}.");
            field.problem("SecretInvalid", message)
        })
    }
}
