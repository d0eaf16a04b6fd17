//! The query API of a Prometheus, or of what speaks like one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use docket_objectives::Sample;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

/// An answer that takes longer is none: the next round asks again.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where a Prometheus is.
#[derive(Clone, Debug, Default)]
pub struct Source<'a> {
    /// Base URL; the API is below it at `/api/v1`.
    pub url: &'a str,
    /// File with the authorities of its certificate, as PEM; those of the system by default.
    pub ca_file: Option<&'a Path>,
    /// Folder with a file for each header of a request: its name is the header's, its content the value.
    pub headers: Option<&'a Path>,
}

/// A Prometheus.
#[derive(Clone, Debug)]
pub struct Prometheus {
    client: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct Envelope {
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: std::collections::HashMap<String, String>,
    /// Seconds, and the value as text.
    value: (f64, String),
}

impl Prometheus {
    /// A client for `source`.
    ///
    /// # Errors
    /// A file cannot be read, or holds no certificate or header.
    pub fn new(source: &Source<'_>) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .timeout(DEADLINE)
            // Another server is not who the headers are for.
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(source.headers.map(headers).transpose()?.unwrap_or_default());
        if let Some(file) = source.ca_file {
            let told = || format!("the certificate authorities in {}", file.display());
            let pem = std::fs::read(file).with_context(told)?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem).with_context(told)?;
            builder = builder.tls_certs_only(authorities);
        }
        Ok(Self {
            client: builder.build()?,
            url: format!("{}/api/v1/query", source.url.trim_end_matches('/')),
        })
    }

    /// Evaluates `query` now; the answer is to be a vector.
    ///
    /// # Errors
    /// It does not answer in time, refuses, or answers something else.
    pub async fn query(&self, query: &str) -> Result<Vec<Sample>> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query)
            .append_pair("timeout", &format!("{}s", DEADLINE.as_secs()))
            .finish();
        let answer = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        let Ok(envelope) = serde_json::from_str::<Envelope>(&text) else {
            bail!(
                "{} answered {status}, and nothing that a Prometheus says",
                self.url
            );
        };
        match envelope.data {
            Some(data) if envelope.status == "success" => {
                Ok(data.result.into_iter().filter_map(sample).collect())
            }
            _ => bail!("{} answered {status}: {}", self.url, envelope.error),
        }
    }
}

fn sample(series: Series) -> Option<Sample> {
    let value: f64 = series.value.1.parse().ok()?;
    value.is_finite().then_some(Sample {
        labels: series.metric,
        value,
    })
}

/// As Kubernetes mounts a Secret: hidden entries are its own.
fn headers(folder: &Path) -> Result<HeaderMap> {
    let mut files = BTreeMap::new();
    let told = || format!("the headers in {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(told)? {
        let entry = entry.with_context(told)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.insert(
                name,
                std::fs::read_to_string(entry.path()).with_context(told)?,
            );
        }
    }
    let mut headers = HeaderMap::new();
    for (name, value) in files {
        let told = || format!("{name} in {} is no header", folder.display());
        let mut value = HeaderValue::from_str(value.trim()).with_context(told)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::try_from(&name).with_context(told)?, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
