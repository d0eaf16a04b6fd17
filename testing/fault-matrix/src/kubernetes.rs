//! The API server, asked over HTTP with a token: objects are plain JSON here.

use anyhow::{Context as _, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A way to an API server, as somebody.
#[derive(Clone, Debug)]
pub struct Kubernetes {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Kubernetes {
    /// The API server at `url`, whose certificate is `certificate` (PEM), asked with `token`.
    ///
    /// # Errors
    /// The certificate is none.
    pub fn new(url: String, certificate: &[u8], token: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(certificate)?])
            .build()?;
        Ok(Self {
            http,
            url,
            token: token.to_owned(),
        })
    }

    /// A request of `path`, with the token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.url);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// What is at `path`; `None` where nothing is.
    ///
    /// # Errors
    /// The API server refuses or does not answer.
    pub async fn get(&self, path: &str) -> Result<Option<Value>> {
        let answer = self.request(Method::GET, path).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(answer).await.map(Some)
    }

    /// The items of the list at `path`; none where the kind is not known.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let list = self.get(path).await?;
        let items = list.and_then(|mut list| list.get_mut("items").map(Value::take));
        Ok(items
            .and_then(|items| match items {
                Value::Array(items) => Some(items),
                _ => None,
            })
            .unwrap_or_default())
    }

    /// Creates `object` in the collection `path`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value> {
        read(self.request(Method::POST, path).json(object).send().await?).await
    }

    /// Merges `change` into what is at `path` (RFC 7386).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn merge(&self, path: &str, change: &Value) -> Result<Value> {
        let request = self
            .request(Method::PATCH, path)
            .body(change.to_string())
            .header("content-type", "application/merge-patch+json");
        read(request.send().await?).await
    }

    /// Does to what is at `path` what the list `change` says (RFC 6902).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn patch(&self, path: &str, change: &Value) -> Result<Value> {
        let request = self
            .request(Method::PATCH, path)
            .body(change.to_string())
            .header("content-type", "application/json-patch+json");
        read(request.send().await?).await
    }

    /// Deletes what is at `path`; what is not there is deleted.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(&self, path: &str) -> Result<()> {
        let answer = self.request(Method::DELETE, path).send().await?;
        if answer.status() != StatusCode::NOT_FOUND {
            read(answer).await?;
        }
        Ok(())
    }
}

async fn read(answer: reqwest::Response) -> Result<Value> {
    let status = answer.status();
    let url = answer.url().path().to_owned();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{url}: {status}: {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("{url}: no JSON"))
}
