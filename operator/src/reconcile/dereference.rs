//! Reads all that a decision needs.

use std::collections::{BTreeMap, BTreeSet};

use docket_contract::SigningKeys;
use docket_crds::{Client, DocumentTenant, annotations, names};
use docket_schema::Identity;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use super::apply::belongs_to;
use super::content_ownership::ContentClaim;
use super::named_secrets::{DATABASE, NamedSecrets, SecretField};
use super::{issuer, passwords, telemetry, workloads};
use crate::context::Context;
use crate::credentials::certificate::{self, Certificate};
use crate::credentials::rotation::{Asked, Rotated};
use crate::database::{AdminConnection, Database};
use crate::error::Result;
use crate::identified::Identified;
use crate::memory::{Inspected, InspectionKey};
use crate::text_form::TextForm;
use crate::validated_tenant::{Notice, Publication, Workloads};

const CERTIFICATE: SecretField<'_> = SecretField::of_credentials("spec.api.tls.secretRef");
const ISSUER_CA: SecretField<'_> = SecretField::of_credentials("spec.api.auth.jwt.caSecretRef");

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
    /// Schemas of clients whose content is where the spec says, although the registry names another endpoint.
    pub found_content: BTreeSet<String>,
    /// What that was asked for.
    pub occasion: InspectionKey,
    /// Passwords and roles that were issued.
    pub credentials: Issued,
    /// API keys that were issued, and what users made of them.
    pub api_keys: Issued,
    /// Keys to sign tokens with that were issued.
    pub signing_keys: Issued,
    /// Those that pods read.
    pub seen_signing_keys: Option<SigningKeys>,
    /// How many pods the Deployment asks for, if there is one.
    pub replicas: Option<i32>,
    /// Whether no client was ever given credentials, as far as the status says.
    pub nothing_was_issued: bool,
    /// Whether the cluster has the Gateway API.
    pub gateway_api: bool,
    /// Whether it has PrometheusRules.
    pub prometheus_rules: bool,
    /// Whether it has PodMonitors.
    pub pod_monitors: bool,
}

/// Passwords have 64 characters, unless a user wrote others.
const ISSUED: TextForm = TextForm::line(1024);

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
    /// An entry as text, where it is as it was issued, but for white space around.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = ISSUED.read(&self.entries.get(name)?.0).ok()?;
        (!text.is_empty()).then_some(text)
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
    let secrets = NamedSecrets::of(tenant, ctx);
    let spec = &tenant.spec;
    let connection = database_connection(tenant, &secrets).await?;
    let workloads = workloads::read(&spec.workloads, &secrets).await?;
    let tls = spec.api.tls.as_ref().map(|tls| &tls.secret_ref);
    let certificate = secrets
        .read_optional(tls, CERTIFICATE, Certificate::from_secret)
        .await?;
    let jwt = spec.api.auth.jwt.as_ref();
    let issuer_ca = jwt.and_then(|jwt| jwt.ca_secret_ref.as_ref());
    let issuer_ca = secrets
        .read_optional(issuer_ca, ISSUER_CA, certificate::authorities)
        .await?;
    let telemetry = telemetry::credentials(&spec.telemetry, &secrets).await?;

    let database = match purpose {
        Purpose::Change => ctx.databases.open(&connection).await?,
        Purpose::Plan => ctx.databases.look(&connection).await?,
    };
    ctx.memory
        .reached(tenant.uid(), &connection, workloads.content());
    let clients = identities(tenant).into_iter();
    let schemas: Vec<String> = clients.map(|(_, identity)| identity.schema).collect();
    let occasion = InspectionKey::of(tenant, &connection, &schemas);
    let recent = match purpose {
        Purpose::Change => ctx.memory.inspected(tenant.uid(), occasion),
        Purpose::Plan => None,
    };
    let looked = recent.is_none();
    let mut inspected = match recent {
        Some(recent) => recent,
        None => Inspected::now(database.inspect(&schemas).await?),
    };
    let found_content = found_content(tenant, &workloads, &inspected, &database).await?;
    let name = tenant.name();
    let (logins, api_keys) = (logins_asked(tenant), api_keys_asked(tenant));
    let credentials = names::credentials_secret(name);
    let credentials =
        issued_to_clients(tenant, credentials, &client_names(tenant), &logins, ctx).await?;
    if looked && purpose == Purpose::Change {
        passwords::check(
            tenant,
            &mut inspected.inspection,
            &credentials,
            &database,
            ctx,
        )
        .await;
    }
    let key_entries = key_entries(tenant, &workloads);
    let api_keys_secret = names::api_keys_secret(name);
    let api_keys = issued_to_clients(tenant, api_keys_secret, &key_entries, &api_keys, ctx).await?;
    let signing_keys = issuer::issued(tenant, ctx).await?;
    tracing::debug!(clients = schemas.len(), "read all that a decision needs");
    let seen = Dereferenced {
        connection,
        workloads,
        certificate,
        issuer_ca: issuer_ca.map(|authorities| authorities.pem),
        telemetry,
        inspected,
        found_content,
        occasion,
        credentials,
        api_keys,
        signing_keys,
        seen_signing_keys: issuer::seen(tenant, ctx),
        replicas: replicas(tenant, ctx),
        nothing_was_issued: nothing_was_issued(tenant),
        gateway_api: ctx.optional.http_routes.is_there(),
        prometheus_rules: ctx.optional.prometheus_rules.is_there(),
        pod_monitors: ctx.optional.pod_monitors.is_there(),
    };
    Ok((seen, database))
}

/// Schemas of clients for whom the registry names another endpoint than the spec, and who store nothing, or of whom the
/// bucket behind this one says that the content in it is theirs.
async fn found_content(
    tenant: &Identified<DocumentTenant>,
    workloads: &Workloads,
    inspected: &Inspected,
    database: &Database,
) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let locations = workloads.locations();
    let Some((_, bucket)) = workloads.content() else {
        return Ok(found);
    };
    for (schema, row) in &inspected.inspection {
        let registered = row.registered.as_ref();
        let moved = registered.and_then(|it| it.content.moved(&locations));
        if moved.is_some_and(|moved| moved.is_same_bucket) {
            let claim = ContentClaim::of(tenant, database).await?;
            if database.stores_nothing(schema).await? || claim.is_in(bucket, schema).await? {
                found.insert(schema.clone());
            }
        }
    }
    Ok(found)
}

/// How the database is reached.
pub(super) async fn database_connection(
    tenant: &DocumentTenant,
    secrets: &NamedSecrets<'_>,
) -> Result<AdminConnection> {
    let secret = &tenant.spec.database.secret_ref;
    let parse = AdminConnection::from_secret;
    secrets.read(secret, DATABASE, parse).await
}

/// How many pods the API's Deployment asks for.
fn replicas(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Option<i32> {
    let name = names::api_name(tenant.name());
    let deployment = ctx.caches.deployments.get(tenant.namespace(), &name)?;
    let ours = belongs_to(&deployment, tenant.uid());
    deployment.spec.as_ref().filter(|_| ours)?.replicas
}

/// The clients of the spec, sorted by name, each with its identity: what status says, or a new one.
pub(super) fn identities(tenant: &Identified<DocumentTenant>) -> Vec<(&Client, Identity)> {
    let recorded = tenant.status.iter().flat_map(|status| &status.clients);
    let recorded: BTreeMap<&str, Identity> = recorded
        .map(|client| (client.name.as_str(), Identity::of_schema(&client.schema)))
        .collect();
    let (namespace, name) = (tenant.namespace(), tenant.name());
    let identity = |client: &str| {
        let known = recorded.get(client).cloned();
        known.unwrap_or_else(|| Identity::of(namespace, name, client))
    };
    let clients = tenant.spec.clients.iter();
    let mut clients: Vec<_> = clients.map(|it| (it, identity(&it.name))).collect();
    clients.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    clients
}

/// What a tenant asks for of the logins to its database.
pub(super) fn logins_asked(tenant: &Identified<DocumentTenant>) -> Asked {
    let every = &tenant.spec.credentials.rotation;
    Asked {
        revoke: tenant.annotations().get(annotations::REVOKE).cloned(),
        ..asked(tenant, annotations::ROTATE, every)
    }
}

/// What a tenant asks for of its API keys.
pub(super) fn api_keys_asked(tenant: &Identified<DocumentTenant>) -> Asked {
    let every = &tenant.spec.credentials.api_key_rotation;
    asked(tenant, annotations::ROTATE_API_KEYS, every)
}

pub(super) fn asked(
    tenant: &Identified<DocumentTenant>,
    annotation: &str,
    every: &Option<String>,
) -> Asked {
    Asked {
        value: tenant.annotations().get(annotation).cloned(),
        every: every.as_deref().and_then(docket_crds::interval),
        revoke: None,
    }
}

fn client_names(tenant: &Identified<DocumentTenant>) -> Vec<String> {
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
    let clients = client_names(tenant).into_iter();
    clients
        .flat_map(|client| [publishable(&client), vec![client]].concat())
        .collect()
}

/// What was issued to each client, under the names `needed`.
async fn issued_to_clients(
    tenant: &Identified<DocumentTenant>,
    name: String,
    needed: &[String],
    asked: &Asked,
    ctx: &Context,
) -> Result<Issued> {
    let is_at_rest = |known: &Issued| {
        let due = known
            .rotated
            .as_ref()
            .is_some_and(|last| asked.is_due(last, Timestamp::now()));
        !due && needed.iter().all(|entry| known.entries.contains_key(entry))
    };
    issued(tenant, name, is_at_rest, ctx).await
}

/// What was issued: from memory if nothing is to be issued now, or, because the watch may be behind, from
/// the API server: a value that is issued twice locks somebody out.
pub(super) async fn issued(
    tenant: &Identified<DocumentTenant>,
    name: String,
    is_at_rest: impl Fn(&Issued) -> bool,
    ctx: &Context,
) -> Result<Issued> {
    let namespace = tenant.namespace();
    let known = ctx.caches.secrets.get(namespace, &name);
    if let Some(known) = known.as_ref().map(read).filter(is_at_rest) {
        return Ok(known);
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
fn nothing_was_issued(tenant: &Identified<DocumentTenant>) -> bool {
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
