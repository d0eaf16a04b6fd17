//! Reads all that a decision needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use docket_crds::ConditionType;
use docket_crds::{DocumentTenant, annotations, names};
use docket_schema::Identity;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use sha2::{Digest, Sha256};

use super::apply::belongs_to;
use super::{telemetry, workloads};
use crate::cache::referenced_secrets::Entries;
use crate::context::Context;
use crate::credentials::certificate::{self, Certificate};
use crate::credentials::rotation::{Asked, Rotated};
use crate::database::{AdminConnection, Database};
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::memory::{Inspected, InspectionKey};
use crate::validated_tenant::{Notice, Publication, Workloads};

/// All that a decision needs.
#[derive(Debug)]
pub(super) struct Dereferenced {
    /// How the database was reached.
    pub connection: AdminConnection,
    /// The workloads, with what their Secrets hold.
    pub workloads: Workloads,
    /// The certificate that the API is to be served with.
    pub certificate: Option<Certificate>,
    /// Authorities of the token issuer's certificate, as PEM.
    pub issuer_ca: Option<String>,
    /// What collectors need to be let in, or why that cannot be had.
    pub telemetry: Result<telemetry::Credentials, Notice>,
    /// What the database holds of the clients, by schema, now or a moment ago.
    pub inspected: Inspected,
    /// What that was asked for.
    pub occasion: InspectionKey,
    /// Passwords and roles that were issued.
    pub credentials: Issued,
    /// API keys that were issued, and what users made of them.
    pub api_keys: Issued,
    /// How many pods the Deployment asks for, if there is one.
    pub replicas: Option<i32>,
    /// Whether the cluster has the Gateway API.
    pub gateway_api: bool,
    /// Whether it has PrometheusRules.
    pub prometheus_rules: bool,
    /// Whether it has PodMonitors.
    pub pod_monitors: bool,
}

/// What a Secret of ours holds.
#[derive(Debug, Default)]
pub(super) struct Issued {
    /// Its entries; what is empty counts as not there.
    pub entries: BTreeMap<String, ByteString>,
    /// When it was last rotated, or made; none where there is no Secret yet.
    pub rotated: Option<Rotated>,
    /// Whether it was ever rotated.
    pub was_rotated: bool,
}

impl Issued {
    /// An entry as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(&self.entries.get(name)?.0).ok()
    }
}

/// What is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To change what is not as it should be.
    Change,
    /// To say what would be changed.
    Plan,
}

pub(super) async fn dereference(
    tenant: &Identified<DocumentTenant>,
    purpose: Purpose,
    ctx: &Context,
) -> Result<(Dereferenced, Database)> {
    let uid = tenant.uid();
    let connection = database_connection(tenant, ctx).await?;
    let workloads = workloads::read(tenant, ctx).await?;
    let certificate = certificate(tenant, ctx).await?;
    let issuer_ca = issuer_ca(tenant, ctx).await?;
    let telemetry = telemetry::credentials(tenant, ctx).await?;

    let database = match purpose {
        Purpose::Change => ctx.databases.open(&connection).await?,
        Purpose::Plan => ctx.databases.look(&connection).await?,
    };
    ctx.memory.reached(uid, &connection, workloads.content());
    let schemas: Vec<String> = identities(tenant)
        .into_values()
        .map(|identity| identity.schema)
        .collect();
    let occasion = InspectionKey::of(tenant, &connection, &schemas);
    let recent = match purpose {
        Purpose::Change => ctx.memory.inspected(uid, occasion),
        Purpose::Plan => None,
    };
    let inspected = match recent {
        Some(recent) => recent,
        None => Inspected::now(database.inspect(&schemas).await?),
    };
    let name = tenant.name();
    let key_entries = key_entries(tenant, &workloads);
    tracing::debug!(clients = schemas.len(), "read all that a decision needs");
    let seen = Dereferenced {
        connection,
        workloads,
        certificate,
        issuer_ca,
        telemetry,
        inspected,
        occasion,
        credentials: issued(
            tenant,
            names::credentials_secret(name),
            &clients(tenant),
            &logins(tenant),
            ctx,
        )
        .await?,
        api_keys: issued(
            tenant,
            names::api_keys_secret(name),
            &key_entries,
            &keys(tenant),
            ctx,
        )
        .await?,
        replicas: replicas(tenant, ctx),
        gateway_api: ctx.optional.http_routes.is_there(),
        prometheus_rules: ctx.optional.prometheus_rules.is_there(),
        pod_monitors: ctx.optional.pod_monitors.is_there(),
    };
    Ok((seen, database))
}

fn replicas(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Option<i32> {
    let name = names::api_name(tenant.name());
    let namespace = tenant.namespace();
    let deployment = ctx.caches.deployments.get(namespace, &name)?;
    let ours = belongs_to(&deployment, tenant.uid());
    deployment.spec.as_ref().filter(|_| ours)?.replicas
}

/// The identity of each client of the spec: what status says, or a new one.
pub(super) fn identities(tenant: &Identified<DocumentTenant>) -> BTreeMap<String, Identity> {
    let recorded = tenant.status.iter().flat_map(|status| &status.clients);
    let recorded: BTreeMap<&str, Identity> = recorded
        .map(|client| (client.name.as_str(), Identity::of_schema(&client.schema)))
        .collect();
    let (namespace, name) = (tenant.namespace(), tenant.name());
    tenant
        .spec
        .clients
        .iter()
        .map(|client| {
            let identity = recorded
                .get(client.name.as_str())
                .cloned()
                .unwrap_or_else(|| Identity::of(namespace, name, &client.name));
            (client.name.clone(), identity)
        })
        .collect()
}

pub(super) async fn database_connection(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<AdminConnection> {
    let name = &tenant.spec.database.secret_ref.name;
    let data = read_secret(
        tenant,
        name,
        ConditionType::DatabaseReady,
        "spec.database.secretRef",
        ctx,
    )
    .await?;
    AdminConnection::from_secret(&data).map_err(|what| {
        let field = "spec.database.secretRef";
        unusable(ConditionType::DatabaseReady, name, field, &what)
    })
}

async fn certificate(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<Option<Certificate>> {
    let Some(tls) = &tenant.spec.api.tls else {
        return Ok(None);
    };
    let (name, field) = (&tls.secret_ref.name, "spec.api.tls.secretRef");
    let data = credentials(tenant, name, field, ctx).await?;
    let certificate = Certificate::from_secret(&data)
        .map_err(|what| unusable(CREDENTIALS, name, field, &what))?;
    Ok(Some(certificate))
}

async fn issuer_ca(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<Option<String>> {
    let jwt = tenant.spec.api.auth.jwt.as_ref();
    let Some(secret) = jwt.and_then(|jwt| jwt.ca_secret_ref.as_ref()) else {
        return Ok(None);
    };
    let (name, field) = (&secret.name, "spec.api.auth.jwt.caSecretRef");
    let data = credentials(tenant, name, field, ctx).await?;
    let authorities = certificate::authorities(&data)
        .map_err(|what| unusable(CREDENTIALS, name, field, &what))?;
    Ok(Some(authorities.pem))
}

/// A Secret that is not the database's.
pub(super) async fn credentials(
    tenant: &Identified<DocumentTenant>,
    name: &str,
    field: &str,
    ctx: &Context,
) -> Result<Arc<Entries>> {
    read_secret(tenant, name, CREDENTIALS, field, ctx).await
}

pub(super) const CREDENTIALS: ConditionType = ConditionType::CredentialsReady;

pub(super) fn unusable(condition: ConditionType, secret: &str, field: &str, what: &str) -> Error {
    Error::Permanent(Problem::new(
        condition,
        "SecretInvalid",
        format!("The Secret {secret}, named by {field}, cannot be used: {what}."),
    ))
}

pub(super) async fn read_secret(
    tenant: &Identified<DocumentTenant>,
    name: &str,
    condition: ConditionType,
    field: &str,
    ctx: &Context,
) -> Result<Arc<Entries>> {
    let namespace = tenant.namespace();
    if let Some(known) = ctx.referenced_secrets.get(namespace, name) {
        return Ok(known);
    }
    let api: Api<Secret> = Api::namespaced(ctx.client.clone(), namespace);
    match api.get_opt(name).await? {
        Some(secret) => Ok(ctx.referenced_secrets.keep(secret)),
        None => {
            ctx.referenced_secrets.forget(namespace, name);
            Err(Error::Permanent(Problem::new(
                condition,
                "SecretNotFound",
                format!("Create the Secret {name} in namespace {namespace}: {field} names it."),
            )))
        }
    }
}

/// What a tenant asks for of the logins to its database.
pub(super) fn logins(tenant: &Identified<DocumentTenant>) -> Asked {
    asked(
        tenant,
        annotations::ROTATE,
        &tenant.spec.credentials.rotation,
    )
}

/// What a tenant asks for of its API keys.
pub(super) fn keys(tenant: &Identified<DocumentTenant>) -> Asked {
    let every = &tenant.spec.credentials.api_key_rotation;
    asked(tenant, annotations::ROTATE_API_KEYS, every)
}

fn asked(tenant: &Identified<DocumentTenant>, annotation: &str, every: &Option<String>) -> Asked {
    Asked {
        value: tenant.annotations().get(annotation).cloned(),
        every: every.as_deref().and_then(docket_crds::interval),
    }
}

fn clients(tenant: &Identified<DocumentTenant>) -> Vec<String> {
    let clients = tenant.spec.clients.iter();
    clients.map(|client| client.name.clone()).collect()
}

/// The entries of keys that every client has.
fn key_entries(tenant: &Identified<DocumentTenant>, workloads: &Workloads) -> Vec<String> {
    let publishable = |client: &str| {
        let publications = workloads.publications.iter();
        let entry = |it: &Publication| names::publishable_key_entry(client, it.workload);
        publications.map(entry).collect::<Vec<_>>()
    };
    let clients = clients(tenant).into_iter();
    clients
        .flat_map(|client| [publishable(&client), vec![client]].concat())
        .collect()
}

/// What was issued to each client, under the names `needed`: from memory, or, where the watch may be behind, from the API
/// server, because a value that is issued twice locks a client out.
async fn issued(
    tenant: &Identified<DocumentTenant>,
    name: String,
    needed: &[String],
    asked: &Asked,
    ctx: &Context,
) -> Result<Issued> {
    let namespace = tenant.namespace();
    let known = ctx.caches.secrets.get(namespace, &name);
    if let Some(secret) = known {
        let known = read(&secret);
        let due = known
            .rotated
            .as_ref()
            .is_some_and(|last| asked.is_due(last, Timestamp::now()));
        let mut needed = needed.iter();
        if !due && needed.all(|entry| known.entries.contains_key(entry)) {
            return Ok(known);
        }
    }
    // Nothing was issued before the clients' names were on the status; where that is behind, the Secret
    // is not created either, because there is one.
    if nothing_was_issued(tenant) {
        return Ok(Issued::default());
    }
    let api: Api<Secret> = Api::namespaced(ctx.client.clone(), namespace);
    let secret = api.get_opt(&name).await?;
    Ok(secret.as_ref().map(read).unwrap_or_default())
}

/// Whether no client of the tenant was ever given credentials, as far as its status says.
pub(super) fn nothing_was_issued(tenant: &Identified<DocumentTenant>) -> bool {
    let status = tenant.status.as_ref();
    status.is_none_or(|status| status.clients.is_empty())
}

fn read(secret: &Secret) -> Issued {
    let created = secret.metadata.creation_timestamp.as_ref();
    let created = created.map_or_else(Timestamp::now, |created| created.0);
    let annotations = secret.annotations();
    Issued {
        entries: entries(secret),
        rotated: Some(Rotated::read(annotations, created)),
        was_rotated: Rotated::is_in(annotations),
    }
}

/// What is empty counts as not there.
fn entries(secret: &Secret) -> BTreeMap<String, ByteString> {
    let all = secret.data.iter().flatten();
    let filled = all.filter(|(_, value)| !value.0.is_empty());
    filled
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

pub(super) fn hash(data: &Entries) -> String {
    let mut hash = Sha256::new();
    for (key, value) in data {
        hash.update(key);
        hash.update(&value.0);
    }
    hex::encode(hash.finalize())
}
