//! Reads the Secrets that a tenant names, each with the field that names it.

use docket_crds::ConditionType;
use docket_crds::{DocumentTenant, SecretReference, labels};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use crate::cache::referenced_secrets::Entries;
use crate::context::Context;
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;

/// A field of the spec that names a Secret, and the condition that is not met without it.
#[derive(Clone, Copy)]
pub(super) struct SecretField<'a> {
    /// Its path, for sentences.
    pub path: &'a str,
    pub condition: ConditionType,
    /// What it is sent as to a server that the spec names: its label must say so, or whoever may write a tenant would
    /// read every Secret of the namespace.
    pub sent_as: Option<&'static str>,
}

impl<'a> SecretField<'a> {
    /// One that credentials are made of.
    pub(super) const fn of_credentials(path: &'a str) -> Self {
        Self {
            path,
            condition: ConditionType::CredentialsReady,
            sent_as: None,
        }
    }

    /// One that collectors read.
    pub(super) const fn of_collectors(path: &'a str) -> Self {
        Self {
            path,
            condition: ConditionType::CollectorReady,
            sent_as: None,
        }
    }

    /// The same, of one that is sent away.
    pub(super) const fn sent_as(self, what: &'static str) -> Self {
        Self {
            sent_as: Some(what),
            ..self
        }
    }

    fn problem(self, reason: &'static str, message: String) -> Error {
        Error::Permanent(Problem::new(self.condition, reason, message))
    }
}

/// `spec.database`.
pub(super) const DATABASE: SecretField<'_> = SecretField {
    path: "spec.database.secretRef",
    condition: ConditionType::DatabaseReady,
    sent_as: None,
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
        field: SecretField<'_>,
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
        field: SecretField<'_>,
        parse: impl FnOnce(&Entries) -> Result<T, String>,
    ) -> Result<T> {
        let (namespace, path) = (self.namespace, field.path);
        let cache = &self.ctx.referenced_secrets;
        let secret = match cache.get(namespace, name) {
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
        if let Some(what) = field.sent_as
            && secret.allowed_as.as_deref() != Some(what)
        {
            let message = format!(
                "Label the Secret {name} in namespace {namespace} with {}={what} if it may be sent to a server that the \
                 spec names: {path} asks for that.",
                labels::ALLOWED_AS
            );
            return Err(field.problem("SecretNotAllowed", message));
        }
        parse(&secret.entries).map_err(|what| {
            let message = format!("The Secret {name}, named by {path}, cannot be used: {what}.");
            field.problem("SecretInvalid", message)
        })
    }
}
