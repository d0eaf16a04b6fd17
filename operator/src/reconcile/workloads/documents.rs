//! Reads what documents need: the Secrets of their bucket and of their summarizer.

use docket_contract::{DocumentLimits, OpenAi, Quota, S3Storage, Summarizer, Uploads};
use docket_crds::{Client, DocumentsWorkload, Retention, S3, SummarizerMode, labels};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::cache::referenced_secrets::Entries;
use crate::content::Content;
use crate::error::Result;
use crate::reconcile::named_secrets::{NamedSecrets, SecretField};
use crate::reconcile::spec_text;
use crate::text_form::TextForm;
use crate::validated_tenant::Documents;

const STORAGE: SecretField<'_> =
    SecretField::of_credentials("spec.workloads.documents.storage.s3.secretRef");
const OPENAI: SecretField<'_> =
    SecretField::of_credentials("spec.workloads.documents.summarizer.openai.secretRef")
        .sent_as(labels::MODEL_KEY);

pub(super) async fn read(
    spec: &DocumentsWorkload,
    secrets: &NamedSecrets<'_>,
) -> Result<Documents> {
    let s3 = &spec.storage.s3;
    let parse = |secret: &Entries| Ok((bucket(s3, secret)?, hash(secret)));
    let (content, storage_secret_hash) = secrets.read(&s3.secret_ref, STORAGE, parse).await?;
    tracing::debug!(bucket = s3.bucket, "read where content is");
    Ok(Documents {
        content,
        storage_secret: s3.secret_ref.name.clone(),
        storage_secret_hash,
        uploads: Uploads {
            max_bytes: docket_crds::bytes(&spec.uploads.max_size),
            accepted_types: spec.uploads.accepted_types.clone(),
        },
        summarizer: summarizer(&spec.summarizer, secrets).await?,
    })
}

pub(super) async fn content(
    spec: &DocumentsWorkload,
    secrets: &NamedSecrets<'_>,
) -> Result<Content> {
    let s3 = &spec.storage.s3;
    // A deletion looks at no more of the spec than this.
    spec_text::check("spec.workloads.documents.storage.s3", s3)?;
    let parse = |secret: &Entries| bucket(s3, secret);
    secrets.read(&s3.secret_ref, STORAGE, parse).await
}

fn bucket(s3: &S3, secret: &Entries) -> Result<Content, String> {
    let storage = S3Storage {
        bucket: s3.bucket.clone(),
        endpoint: s3.endpoint.clone(),
        region: s3.region.clone(),
    };
    Content::from_secret(&storage, secret)
}

fn hash(secret: &Entries) -> String {
    let mut hash = Sha256::new();
    for (key, value) in secret {
        hash.update(key);
        hash.update(&value.0);
    }
    hex::encode(hash.finalize())
}

/// The schema accepts the mode `OpenAI` with an endpoint only.
async fn summarizer(
    wanted: &docket_crds::Summarizer,
    secrets: &NamedSecrets<'_>,
) -> Result<Summarizer> {
    let openai = match (wanted.mode, &wanted.openai) {
        (SummarizerMode::None, _) => return Ok(Summarizer::None),
        (SummarizerMode::OpenAI, Some(openai)) => openai,
        (SummarizerMode::Extractive | SummarizerMode::OpenAI, _) => {
            return Ok(Summarizer::Extractive);
        }
    };
    Ok(Summarizer::OpenAI(OpenAi {
        url: openai.url.clone(),
        model: openai.model.clone(),
        api_key: secrets.read(&openai.secret_ref, OPENAI, api_key).await?,
        timeout_ms: milliseconds(&openai.timeout),
    }))
}

/// Key of the Secret that a summarizer names.
const API_KEY: &str = "apiKey";
/// Some are tokens.
const MODEL_KEY: TextForm = TextForm::line(8 * 1024);

fn api_key(secret: &Entries) -> Result<SecretString, String> {
    Ok(MODEL_KEY.required(secret, API_KEY)?.into())
}

/// The schema accepts whole seconds only, such as `30s`.
fn milliseconds(timeout: &str) -> u64 {
    let seconds: u64 = timeout.trim_end_matches('s').parse().unwrap_or_default();
    seconds * 1000
}

/// What `client` may do with documents.
pub(super) fn limits(client: &Client, workload: Option<&DocumentsWorkload>) -> DocumentLimits {
    DocumentLimits {
        quota: quota(client, workload),
        retention_days: retention_days(client, workload),
    }
}

/// What `client` may store at most: its own quota, or else that of the workload. The schema accepts sizes
/// only that are numbers, so nothing is lost here.
fn quota(client: &Client, workload: Option<&DocumentsWorkload>) -> Quota {
    let own = client.quota.as_ref();
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
fn retention_days(client: &Client, workload: Option<&DocumentsWorkload>) -> u32 {
    let own = client.retention.as_ref();
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
            let quota = quota(client, workload);
            let days = retention_days(client, workload);
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
