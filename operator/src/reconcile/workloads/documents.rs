//! Reads what documents need: the Secrets of their bucket and of their summarizer.

use std::sync::Arc;

use docket_contract::{DocumentLimits, OpenAi, Quota, S3Storage, Summarizer, Uploads};
use docket_crds::{Client, DocumentTenant, DocumentsWorkload, Retention, S3, SummarizerMode};

use crate::cache::referenced_secrets::Entries;
use crate::content::Content;
use crate::context::Context;
use crate::error::Result;
use crate::identified::Identified;
use crate::reconcile::dereference::{CREDENTIALS, credentials, hash, unusable};
use crate::validated_tenant::Documents;

const STORAGE_SECRET: &str = "spec.workloads.documents.storage.s3.secretRef";

pub(super) async fn read(
    tenant: &Identified<DocumentTenant>,
    spec: &DocumentsWorkload,
    ctx: &Context,
) -> Result<Documents> {
    let s3 = &spec.storage.s3;
    let secret = storage_secret(tenant, s3, ctx).await?;
    let content = bucket(s3, &secret)?;
    tracing::debug!(bucket = s3.bucket, "read where content is");
    Ok(Documents {
        content,
        storage_secret: s3.secret_ref.name.clone(),
        storage_secret_hash: hash(&secret),
        uploads: Uploads {
            max_bytes: docket_crds::bytes(&spec.uploads.max_size),
            accepted_types: spec.uploads.accepted_types.clone(),
        },
        summarizer: summarizer(tenant, &spec.summarizer, ctx).await?,
    })
}

pub(super) async fn content(
    tenant: &Identified<DocumentTenant>,
    spec: &DocumentsWorkload,
    ctx: &Context,
) -> Result<Content> {
    let s3 = &spec.storage.s3;
    let secret = storage_secret(tenant, s3, ctx).await?;
    bucket(s3, &secret)
}

async fn storage_secret(
    tenant: &Identified<DocumentTenant>,
    s3: &S3,
    ctx: &Context,
) -> Result<Arc<Entries>> {
    credentials(tenant, &s3.secret_ref.name, STORAGE_SECRET, ctx).await
}

fn bucket(s3: &S3, secret: &Entries) -> Result<Content> {
    let storage = S3Storage {
        bucket: s3.bucket.clone(),
        endpoint: s3.endpoint.clone(),
        region: s3.region.clone(),
    };
    let name = &s3.secret_ref.name;
    Content::from_secret(&storage, secret)
        .map_err(|what| unusable(CREDENTIALS, name, STORAGE_SECRET, &what))
}

/// Key of the Secret that a summarizer names.
const API_KEY: &str = "apiKey";

/// The schema accepts the mode `OpenAI` with an endpoint only.
async fn summarizer(
    tenant: &Identified<DocumentTenant>,
    wanted: &docket_crds::Summarizer,
    ctx: &Context,
) -> Result<Summarizer> {
    let openai = match (wanted.mode, &wanted.openai) {
        (SummarizerMode::None, _) => return Ok(Summarizer::None),
        (SummarizerMode::OpenAI, Some(openai)) => openai,
        (SummarizerMode::Extractive | SummarizerMode::OpenAI, _) => {
            return Ok(Summarizer::Extractive);
        }
    };
    let name = &openai.secret_ref.name;
    let field = "spec.workloads.documents.summarizer.openai";
    let secret = credentials(tenant, name, field, ctx).await?;
    let key = secret
        .get(API_KEY)
        .map(|key| String::from_utf8_lossy(&key.0));
    let key = key.as_deref().map(str::trim).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| {
        let what = format!("it has no {API_KEY}");
        unusable(CREDENTIALS, name, &format!("{field}.secretRef"), &what)
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

/// What `client` may do with documents.
pub(super) fn limits(
    client: Option<&Client>,
    workload: Option<&DocumentsWorkload>,
) -> DocumentLimits {
    DocumentLimits {
        quota: quota(client, workload),
        retention_days: retention_days(client, workload),
    }
}

/// What `client` may store at most: its own quota, or else that of the workload. The schema accepts sizes
/// only that are numbers, so nothing is lost here.
fn quota(client: Option<&Client>, workload: Option<&DocumentsWorkload>) -> Quota {
    let own = client.and_then(|client| client.quota.as_ref());
    let quota = own.or_else(|| workload.and_then(|workload| workload.quota.as_ref()));
    Quota {
        documents: quota
            .and_then(|quota| quota.documents)
            .map(i64::unsigned_abs),
        bytes: quota
            .and_then(|quota| quota.storage.as_deref())
            .and_then(docket_crds::bytes),
    }
}

/// Days that what `client` deletes can be restored: its own, or else those of the workload.
fn retention_days(client: Option<&Client>, workload: Option<&DocumentsWorkload>) -> u32 {
    let own = client.and_then(|client| client.retention.as_ref());
    let retention = own.or_else(|| workload.map(|workload| &workload.retention));
    let retention = retention.cloned().unwrap_or_else(Retention::default);
    retention.days.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn client(own: Value) -> Client {
        let mut client = json!({"name": "globex"});
        for (name, value) in own.as_object().expect("fields") {
            client[name] = value.clone();
        }
        serde_json::from_value(client).expect("a client")
    }

    fn workload(own: Value) -> DocumentsWorkload {
        let mut workload = json!({"storage": {"s3": {"bucket": "b", "endpoint": "http://s",
            "secretRef": {"name": "s"}}}});
        for (name, value) in own.as_object().expect("fields") {
            workload[name] = value.clone();
        }
        serde_json::from_value(workload).expect("a workload")
    }

    #[test]
    fn what_a_client_has_of_its_own_goes_before_what_the_workload_says_for_all() {
        let all = workload(json!({"retention": {"days": 7}, "quota": {"storage": "1Gi"}}));
        let plain = client(json!({}));
        let own = client(json!({"retention": {"days": 90}, "quota": {"documents": 5}}));
        let limits = |client, workload| {
            let quota = quota(Some(client), workload);
            let days = retention_days(Some(client), workload);
            (quota.documents, quota.bytes, days)
        };
        assert_eq!(limits(&plain, Some(&all)), (None, Some(1 << 30), 7));
        assert_eq!(limits(&own, Some(&all)), (Some(5), None, 90));
        let least = workload(json!({}));
        assert_eq!(limits(&plain, Some(&least)), (None, None, 30));
        assert_eq!(limits(&plain, None), (None, None, 30));
        assert_eq!(limits(&own, None), (Some(5), None, 90));
    }
}
