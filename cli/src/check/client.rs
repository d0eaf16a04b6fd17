//! One client of a tenant, as its application would ask.

use http::Method;
use serde_json::Value;

use super::way::{Answer, Ask, Way};

/// What a multipart body is taken apart by; no content of ours has it.
const BOUNDARY: &str = "docketctl-5f1c0f6e";

/// A client with its key.
#[derive(Clone)]
pub(crate) struct Client {
    pub way: Way,
    pub name: String,
    /// None where the tenant asks for no proof.
    pub key: Option<String>,
}

/// A document that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub id: i64,
    pub name: String,
    pub content: Vec<u8>,
    /// The metadata, as the upload answered it.
    pub metadata: Value,
    /// Correlation id that was sent, and the trace that was answered.
    pub request: String,
    pub trace: Option<String>,
    /// Whether that trace is recorded.
    pub sampled: bool,
}

impl Client {
    /// A request below the client's routes, with its key.
    pub(crate) fn request(&self, method: Method, path: &str) -> Ask {
        self.on_routes_of(&self.name, method, path)
    }

    /// The same below another client's.
    pub(crate) fn on_routes_of(&self, client: &str, method: Method, path: &str) -> Ask {
        let ask = Ask::new(method, format!("/clients/{client}/{path}"));
        match &self.key {
            Some(key) => ask.with("x-api-key", key),
            None => ask,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, String> {
        self.way.ask(self.request(Method::GET, path)).await
    }

    /// Sends a document, whatever the answer is.
    pub(crate) async fn put(
        &self,
        name: &str,
        content: &[u8],
        request: &str,
    ) -> Result<Answer, String> {
        let mut ask = self
            .request(Method::PUT, "upload-document")
            .with("x-request-id", request)
            .with(
                "content-type",
                &format!("multipart/form-data; boundary={BOUNDARY}"),
            );
        ask.body = multipart(name, content);
        self.way.ask(ask).await
    }

    /// Stores a document and checks what the answer says of it.
    pub(crate) async fn store(
        &self,
        name: &str,
        content: Vec<u8>,
        request: &str,
    ) -> Result<Stored, String> {
        let answer = self.put(name, &content, request).await?;
        let told = |what: &str| {
            format!(
                "{what} in the answer {} to the upload of {name}: {}",
                answer.status,
                answer.excerpt()
            )
        };
        if answer.status != 201 {
            return Err(told("no 201"));
        }
        if answer.header("x-request-id") != request {
            return Err(told(&format!(
                "not {request} but {:?} as X-Request-ID",
                answer.header("x-request-id")
            )));
        }
        let metadata = answer.json()["metadata"].clone();
        let id = answer.json()["document_id"]
            .as_i64()
            .ok_or_else(|| told("no document_id"))?;
        for (member, expected) in [
            ("client_id", Value::from(self.name.clone())),
            ("filename", name.into()),
            ("file_size", content.len().into()),
            ("sha256", super::content::sha256(&content).into()),
        ] {
            if metadata[member] != expected {
                return Err(told(&format!(
                    "not {expected} but {} as {member}",
                    metadata[member]
                )));
            }
        }
        Ok(Stored {
            id,
            name: name.to_owned(),
            content,
            metadata,
            request: request.to_owned(),
            trace: answer.trace_id().map(str::to_owned),
            sampled: answer.is_sampled(),
        })
    }

    /// Puts all documents with `part` in their names into the trash; says how many.
    pub(crate) async fn put_away(&self, part: &str) -> Result<usize, String> {
        let mut count = 0;
        loop {
            let page = self
                .get(&format!("documents?limit=100&name={part}"))
                .await?;
            if page.status != 200 {
                return Err(format!(
                    "the list was answered with {}: {}",
                    page.status,
                    page.excerpt()
                ));
            }
            let ids: Vec<i64> = page.json()["documents"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|it| it["id"].as_i64())
                .collect();
            if ids.is_empty() {
                return Ok(count);
            }
            for id in ids {
                let answer = self
                    .way
                    .ask(self.request(Method::DELETE, &format!("documents/{id}")))
                    .await?;
                match answer.status.as_u16() {
                    // 404: it went by another's hand.
                    204 | 404 => count += 1,
                    429 => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
                    _ => {
                        return Err(format!(
                            "document {id} stays: {} {}",
                            answer.status,
                            answer.excerpt()
                        ));
                    }
                }
            }
        }
    }
}

/// A multipart body with one part, `file`; names here need no escapes.
fn multipart(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    [head.as_bytes(), content, tail.as_bytes()].concat()
}
