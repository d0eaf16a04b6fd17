//! The workload `documents`.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SecretReference, size};

/// Long enough to notice a mistake and ask for it to be undone.
const DEFAULT_RETENTION_DAYS: i32 = 30;

/// Files with metadata, apart for each client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentsWorkload {
    /// Where the content of documents is kept.
    pub storage: Storage,
    /// What may be uploaded.
    #[serde(default)]
    pub uploads: Uploads,
    /// Who makes the summaries of documents.
    #[serde(default)]
    pub summarizer: Summarizer,
    /// How long what a client deletes can be restored, unless the client says otherwise.
    #[serde(default)]
    pub retention: Retention,
    /// What a client without a quota of its own may store at most, old versions and trash included; any
    /// amount by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
}

impl DocumentsWorkload {
    /// Every Secret that it names.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        let openai = self.summarizer.openai.as_ref();
        std::iter::once(&self.storage.s3.secret_ref).chain(openai.map(|openai| &openai.secret_ref))
    }
}

/// The object store of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// A bucket of an S3-compatible server.
    pub s3: S3,
}

/// A bucket of an S3-compatible server; it must exist, and may be shared by several tenants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3 {
    /// Name of the bucket.
    #[schemars(length(min = 3, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9][-a-z0-9.]*[a-z0-9]$')").message("a bucket's name consists of 3 to 63 lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("the bucket is immutable: the documents that are stored would be lost from sight"))]
    pub bucket: String,
    /// URL of the server, for example `http://s3.docket-dev:7070`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''").message("endpoint must be a URL such as https://s3.example.com"))]
    pub endpoint: String,
    /// Region that requests are signed for.
    #[serde(default = "default_region")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$')").message("a region consists of letters, digits, '-', '_' and '.', such as eu-central-1"))]
    pub region: String,
    /// Secret with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    pub secret_ref: SecretReference,
}

/// What may be uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Uploads {
    /// Largest file, for example `500Mi`; at most 64Gi.
    #[serde(default = "default_max_size")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", size::PATTERN)).message("maxSize must be a whole number with a unit, such as 500Mi or 5Gi"))]
    #[x_kube(validation = Rule::new("!isQuantity(self) || quantity(self).compareTo(quantity('64Gi')) <= 0").message("maxSize must be at most 64Gi"))]
    pub max_size: String,
    /// Media types that are accepted, such as `application/pdf` or `image/*`; all when there are
    /// none. What counts is what a file's bytes show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 3, max = 127)))]
    #[x_kube(validation = Rule::new("self.all(t, t.matches('^[a-z0-9][a-z0-9!#$&^_.+-]*/([*]|[a-z0-9][a-z0-9!#$&^_.+-]*)$'))").message("a type is written in lower case and without parameters, such as application/pdf or image/*"))]
    pub accepted_types: Vec<String>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            max_size: default_max_size(),
            accepted_types: Vec::new(),
        }
    }
}

/// Who makes the summaries of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.openai) == (self.mode == 'OpenAI')").message("openai is needed with the mode OpenAI, and has no meaning with any other"))]
pub struct Summarizer {
    /// The mode.
    #[serde(default)]
    pub mode: SummarizerMode,
    /// The endpoint of the mode `OpenAI`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openai: Option<OpenAi>,
}

/// The ways in which a document gets its summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SummarizerMode {
    /// Sentences of the text itself; no text leaves the API.
    #[default]
    Extractive,
    /// A language model: the start of every text is sent to it.
    OpenAI,
    /// Documents have no summaries.
    None,
}

/// A language model behind an endpoint that speaks as OpenAI's chat completions do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.url.startsWith('https://') || has(self.allowHttp) && self.allowHttp").message("url must start with https://: over http:// whoever is on the way reads the key and the texts; say allowHttp: true where nobody else is"))]
pub struct OpenAi {
    /// URL to which `/chat/completions` is added, for example `https://api.openai.com/v1`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''").message("url must be a URL such as https://api.openai.com/v1"))]
    pub url: String,
    /// Name of the model.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[^[:space:][:cntrl:]]+$')").message("model must not contain white space"))]
    pub model: String,
    /// Secret with the key `apiKey`.
    pub secret_ref: SecretReference,
    /// Lets key and texts go over plain HTTP: nobody else may be on the way, as inside of one machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_http: bool,
    /// Longest wait for an answer, in whole seconds.
    #[serde(default = "default_summarizer_timeout")]
    #[schemars(length(min = 2, max = 4))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]{0,2}s$')").message("timeout must be a whole number of seconds such as 30s, at most 999s"))]
    pub timeout: String,
}

/// What a client may store at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.documents) || has(self.storage)").message("a quota names documents, storage or both"))]
pub struct Quota {
    /// Number of documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64))]
    pub documents: Option<i64>,
    /// Size of all contents together, for example `10Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", size::PATTERN)).message("storage must be a whole number with a unit, such as 500Mi or 10Gi"))]
    pub storage: Option<String>,
}

/// How long what a client deletes can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// Days from a document's deletion until it is gone for good.
    #[schemars(range(min = 1, max = 36_500))]
    pub days: i32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: DEFAULT_RETENTION_DAYS,
        }
    }
}

fn default_region() -> String {
    "us-east-1".into()
}

fn default_summarizer_timeout() -> String {
    "30s".into()
}

fn default_max_size() -> String {
    "5Gi".into()
}
