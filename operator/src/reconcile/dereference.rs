//! Reads all that a decision needs.

use std::collections::BTreeMap;

use docket_contract::{OpenAi, S3Storage, Summarizer};
use docket_crds::{DocumentTenant, S3, SummarizerMode};
use docket_schema::Identity;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use sha2::{Digest, Sha256};

use crate::build;
use crate::certificate::{self, Certificate};
use crate::conditions::ConditionType;
use crate::content::Content;
use crate::context::Context;
use crate::database::{AdminConnection, Database, Survey};
use crate::error::{Error, Problem, Result};

/// All that a decision needs.
pub(super) struct Seen {
    /// The database, open.
    pub database: Database,
    /// How it was reached.
    pub connection: AdminConnection,
    /// The bucket.
    pub content: Content,
    /// Hash of the data of the bucket's Secret.
    pub storage_secret_hash: String,
    /// The certificate that the API is to be served with.
    pub certificate: Option<Certificate>,
    /// Authorities of the token issuer's certificate, as PEM.
    pub issuer_ca: Option<String>,
    /// Who makes the summaries of documents, its key included.
    pub summarizer: Summarizer,
    /// What the database holds of the clients, by schema.
    pub survey: Survey,
    /// Passwords that were issued, by client.
    pub passwords: BTreeMap<String, String>,
    /// The entries of the API keys' Secret: those that were issued, and what users made of them.
    pub api_keys: BTreeMap<String, ByteString>,
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
    tenant: &DocumentTenant,
    purpose: Purpose,
    ctx: &Context,
) -> Result<Seen> {
    let uid = tenant.uid().unwrap_or_default();
    let connection = database_connection(tenant, ctx).await?;
    let s3 = &tenant.spec.storage.s3;
    let storage_secret = storage_secret(tenant, ctx).await?;
    let content = bucket(tenant, &storage_secret)?;
    let certificate = certificate(tenant, ctx).await?;
    let issuer_ca = issuer_ca(tenant, ctx).await?;
    let summarizer = summarizer(tenant, ctx).await?;

    let database = match purpose {
        Purpose::Change => ctx.databases.open(&connection).await?,
        Purpose::Plan => ctx.databases.look(&connection).await?,
    };
    ctx.connections.remember(&uid, connection.clone());
    ctx.contents.remember(&uid, content.clone());
    let schemas: Vec<String> = identities(tenant)
        .into_values()
        .map(|identity| identity.schema)
        .collect();
    let survey = database.survey(&schemas).await?;
    tracing::debug!(
        bucket = s3.bucket,
        clients = schemas.len(),
        "read all that a decision needs"
    );
    Ok(Seen {
        database,
        connection,
        content,
        storage_secret_hash: hash(&storage_secret),
        certificate,
        issuer_ca,
        summarizer,
        survey,
        passwords: texts(issued(tenant, build::credentials_name(&tenant.name_any()), ctx).await?),
        api_keys: issued(tenant, build::api_keys_name(&tenant.name_any()), ctx).await?,
    })
}

/// The identity of each client of the spec: what status says, or a new one.
pub(super) fn identities(tenant: &DocumentTenant) -> BTreeMap<String, Identity> {
    let recorded = tenant.status.iter().flat_map(|status| &status.clients);
    let recorded: BTreeMap<&str, Identity> = recorded
        .map(|client| {
            let identity = Identity {
                schema: client.schema.clone(),
                role: client.role.clone(),
            };
            (client.name.as_str(), identity)
        })
        .collect();
    let (namespace, name) = (tenant.namespace().unwrap_or_default(), tenant.name_any());
    tenant
        .spec
        .clients
        .iter()
        .map(|client| {
            let identity = recorded
                .get(client.name.as_str())
                .cloned()
                .unwrap_or_else(|| Identity::of(&namespace, &name, &client.name));
            (client.name.clone(), identity)
        })
        .collect()
}

/// The bucket as the API server's configuration names it.
pub(super) fn storage(s3: &S3) -> S3Storage {
    S3Storage {
        bucket: s3.bucket.clone(),
        endpoint: s3.endpoint.clone(),
        region: s3.region.clone(),
    }
}

pub(super) async fn database_connection(
    tenant: &DocumentTenant,
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
        Error::Permanent(Problem::new(
            ConditionType::DatabaseReady,
            "SecretInvalid",
            format!("The Secret {name}, named by spec.database.secretRef, cannot be used: {what}."),
        ))
    })
}

async fn storage_secret(
    tenant: &DocumentTenant,
    ctx: &Context,
) -> Result<BTreeMap<String, ByteString>> {
    let name = &tenant.spec.storage.s3.secret_ref.name;
    credentials(tenant, name, "spec.storage.s3.secretRef", ctx).await
}

/// The tenant's bucket, for its cleanup.
pub(super) async fn content(tenant: &DocumentTenant, ctx: &Context) -> Result<Content> {
    bucket(tenant, &storage_secret(tenant, ctx).await?)
}

fn bucket(tenant: &DocumentTenant, secret: &BTreeMap<String, ByteString>) -> Result<Content> {
    let s3 = &tenant.spec.storage.s3;
    Content::from_secret(&storage(s3), secret)
        .map_err(|what| unusable(&s3.secret_ref.name, "spec.storage.s3.secretRef", &what))
}

async fn certificate(tenant: &DocumentTenant, ctx: &Context) -> Result<Option<Certificate>> {
    let Some(tls) = &tenant.spec.api.tls else {
        return Ok(None);
    };
    let (name, field) = (&tls.secret_ref.name, "spec.api.tls.secretRef");
    let data = credentials(tenant, name, field, ctx).await?;
    let certificate =
        Certificate::from_secret(&data).map_err(|what| unusable(name, field, &what))?;
    Ok(Some(certificate))
}

async fn issuer_ca(tenant: &DocumentTenant, ctx: &Context) -> Result<Option<String>> {
    let jwt = tenant.spec.api.auth.jwt.as_ref();
    let Some(secret) = jwt.and_then(|jwt| jwt.ca_secret_ref.as_ref()) else {
        return Ok(None);
    };
    let (name, field) = (&secret.name, "spec.api.auth.jwt.caSecretRef");
    let data = credentials(tenant, name, field, ctx).await?;
    let authorities =
        certificate::authorities(&data).map_err(|what| unusable(name, field, &what))?;
    Ok(Some(authorities))
}

/// A Secret that is not the database's.
async fn credentials(
    tenant: &DocumentTenant,
    name: &str,
    field: &str,
    ctx: &Context,
) -> Result<BTreeMap<String, ByteString>> {
    read_secret(tenant, name, ConditionType::CredentialsReady, field, ctx).await
}

fn unusable(secret: &str, field: &str, what: &str) -> Error {
    Error::Permanent(Problem::new(
        ConditionType::CredentialsReady,
        "SecretInvalid",
        format!("The Secret {secret}, named by {field}, cannot be used: {what}."),
    ))
}

/// Key of the Secret that a summarizer names.
const API_KEY: &str = "apiKey";

/// The schema accepts the mode `OpenAI` with an endpoint only.
async fn summarizer(tenant: &DocumentTenant, ctx: &Context) -> Result<Summarizer> {
    let wanted = &tenant.spec.api.summarizer;
    let openai = match (wanted.mode, &wanted.openai) {
        (SummarizerMode::None, _) => return Ok(Summarizer::None),
        (SummarizerMode::OpenAI, Some(openai)) => openai,
        (SummarizerMode::Extractive | SummarizerMode::OpenAI, _) => {
            return Ok(Summarizer::Extractive);
        }
    };
    let (name, field) = (&openai.secret_ref.name, "spec.api.summarizer.openai");
    let condition = ConditionType::CredentialsReady;
    let secret = read_secret(tenant, name, condition, field, ctx).await?;
    let key = secret
        .get(API_KEY)
        .map(|key| String::from_utf8_lossy(&key.0));
    let key = key.as_deref().map(str::trim).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| {
        let what = format!("it has no {API_KEY}");
        unusable(name, &format!("{field}.secretRef"), &what)
    })?;
    Ok(Summarizer::OpenAI(OpenAi {
        url: openai.url.clone(),
        model: openai.model.clone(),
        api_key: key.into(),
        timeout_ms: milliseconds(&openai.timeout),
    }))
}

/// The schema accepts whole seconds only, such as `30s`.
fn milliseconds(timeout: &str) -> u64 {
    let seconds: u64 = timeout.trim_end_matches('s').parse().unwrap_or_default();
    seconds * 1000
}

async fn read_secret(
    tenant: &DocumentTenant,
    name: &str,
    condition: ConditionType,
    field: &str,
    ctx: &Context,
) -> Result<BTreeMap<String, ByteString>> {
    let namespace = tenant.namespace().unwrap_or_default();
    let api: Api<Secret> = Api::namespaced(ctx.client.clone(), &namespace);
    match api.get_opt(name).await? {
        Some(secret) => Ok(secret.data.unwrap_or_default()),
        None => Err(Error::Permanent(Problem::new(
            condition,
            "SecretNotFound",
            format!("Create the Secret {name} in namespace {namespace}: {field} names it."),
        ))),
    }
}

/// What was issued to each client: from memory, or, where the watch may be behind, from the API
/// server, because a value that is issued twice locks a client out.
async fn issued(
    tenant: &DocumentTenant,
    name: String,
    ctx: &Context,
) -> Result<BTreeMap<String, ByteString>> {
    let namespace = tenant.namespace().unwrap_or_default();
    let names = || {
        tenant
            .spec
            .clients
            .iter()
            .map(|client| client.name.as_str())
    };
    let known = ctx
        .stores
        .secrets
        .get(&ObjectRef::new(&name).within(&namespace));
    if let Some(secret) = known {
        let entries = entries(&secret);
        if names().all(|client| entries.contains_key(client)) {
            return Ok(entries);
        }
    }
    let api: Api<Secret> = Api::namespaced(ctx.client.clone(), &namespace);
    Ok(api
        .get_opt(&name)
        .await?
        .map(|secret| entries(&secret))
        .unwrap_or_default())
}

/// What is empty counts as not there.
fn entries(secret: &Secret) -> BTreeMap<String, ByteString> {
    let all = secret.data.iter().flatten();
    let filled = all.filter(|(_, value)| !value.0.is_empty());
    filled
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn texts(entries: BTreeMap<String, ByteString>) -> BTreeMap<String, String> {
    entries
        .into_iter()
        .filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?)))
        .collect()
}

fn hash(data: &BTreeMap<String, ByteString>) -> String {
    let mut hash = Sha256::new();
    for (key, value) in data {
        hash.update(key);
        hash.update(&value.0);
    }
    hex::encode(hash.finalize())
}
