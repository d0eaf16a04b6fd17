//! The way to the API: straight, or through the Kubernetes API server.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use kube::client::Body;
use serde_json::Value;

/// Longer than the server's own deadline for an answer, so that its word is heard.
const PATIENCE: Duration = Duration::from_secs(60);

/// How requests get there.
#[derive(Clone)]
pub(crate) enum Way {
    /// Over HTTP, to this URL.
    Straight(reqwest::Client, String),
    /// Through the API server's proxy of a Service, whose path this is.
    Proxy(kube::Client, String),
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// An answer with its body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// The same with a header; a value that can be none is left out.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The start of the body, for a sentence.
    pub(crate) fn excerpt(&self) -> String {
        let text: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(300)
            .collect();
        text.trim().to_owned()
    }

    /// The trace that the answer names, 32 hex digits (W3C Trace Context).
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.header("traceparent")
            .split('-')
            .nth(1)
            .filter(|id| id.len() == 32)
    }

    /// Whether the trace that the answer names is recorded.
    pub(crate) fn is_sampled(&self) -> bool {
        let flags = self.header("traceparent").rsplit('-').next();
        let flags = flags.and_then(|flags| u8::from_str_radix(flags, 16).ok());
        flags.is_some_and(|flags| flags & 1 == 1)
    }
}

impl Way {
    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// There is no answer; the sentence says why.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, String> {
        let what = format!("{} {}", ask.method, ask.path);
        let answer = async {
            match self {
                Self::Straight(client, url) => straight(client, url, ask).await,
                Self::Proxy(client, path) => proxied(client, path, ask).await,
            }
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|why| format!("{what}: {why}")),
            Err(_) => Err(format!("{what}: no answer within {PATIENCE:?}")),
        }
    }
}

async fn straight(client: &reqwest::Client, url: &str, ask: Ask) -> Result<Answer, String> {
    let request = client
        .request(ask.method, format!("{url}{}", ask.path))
        .headers(ask.headers)
        .body(ask.body);
    let answer = request.send().await.map_err(|error| root(&error))?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.map_err(|error| root(&error))?;
    Ok(Answer {
        status,
        headers,
        body: body.to_vec(),
    })
}

async fn proxied(client: &kube::Client, path: &str, ask: Ask) -> Result<Answer, String> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(format!("{path}{}", ask.path));
    if let Some(headers) = request.headers_mut() {
        *headers = ask.headers;
    }
    let request = request
        .body(Body::from(ask.body))
        .map_err(|error| error.to_string())?;
    let answer = client.send(request).await.map_err(|error| root(&error))?;
    let (parts, body) = answer.into_parts();
    let body = body.collect_bytes().await.map_err(|error| root(&error))?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.to_vec(),
    })
}

fn root(error: &dyn std::error::Error) -> String {
    crate::problem::root(error)
}
