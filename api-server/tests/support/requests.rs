//! Requests of a client.

use axum::Router;
use axum::body::Body;
use http::{HeaderName, Method, Request, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Answer, send};

/// A GET of `path` below the routes of `client`, with its key.
pub async fn get(router: &Router, client: &str, path: &str) -> Answer {
    ask(router, Method::GET, client, path).await
}

/// The same with any method.
pub async fn ask(router: &Router, method: Method, client: &str, path: &str) -> Answer {
    ask_with(router, method, client, path, &[]).await
}

/// The same with headers.
pub async fn ask_with(
    router: &Router,
    method: Method,
    client: &str,
    path: &str,
    headers: &[(HeaderName, &str)],
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/clients/{client}/{path}"))
        .header("x-api-key", format!("{client}-key"));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    send(router, request.body(Body::empty()).expect("a request")).await
}

/// Uploads `content` as `text/plain`.
pub async fn upload(router: &Router, client: &str, filename: &str, content: &[u8]) -> Answer {
    upload_as(router, client, filename, "text/plain", content).await
}

/// Uploads `content` as a file of a type.
pub async fn upload_as(
    router: &Router,
    client: &str,
    filename: &str,
    file_type: &str,
    content: &[u8],
) -> Answer {
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nignored\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: {file_type}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::put(format!("/clients/{client}/upload-document"))
        .header("x-api-key", format!("{client}-key"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    send(router, request.body(Body::from(body)).expect("a request")).await
}

/// In hex.
pub fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Gives the document `id` of `client` new content, as `text/plain`.
pub async fn replace(
    router: &Router,
    client: &str,
    id: i64,
    headers: &[(HeaderName, &str)],
    content: &[u8],
) -> Answer {
    let path = format!("/clients/{client}/documents/{id}/content");
    send(router, form(Request::put(path), client, headers, content)).await
}

/// A request with the multipart field `file`.
pub fn form(
    request: http::request::Builder,
    client: &str,
    headers: &[(HeaderName, &str)],
    content: &[u8],
) -> Request<Body> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"other.txt\"\r\n\
                Content-Type: text/plain\r\n\r\n";
    let body = [head.as_bytes(), content, b"\r\n--b--\r\n"].concat();
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| {
            request.header(name, *value)
        })
        .header("x-api-key", format!("{client}-key"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    request.body(Body::from(body)).expect("a request")
}

/// A JSON Merge Patch of the document `id` of `globex`, under the condition that it is `etag`.
pub async fn patch(router: &Router, id: i64, etag: &str, body: &str) -> Answer {
    let request = Request::patch(format!("/clients/globex/documents/{id}"))
        .header("x-api-key", "globex-key")
        .header(header::IF_MATCH, etag)
        .header(header::CONTENT_TYPE, "application/merge-patch+json");
    send(
        router,
        request
            .body(Body::from(body.to_owned()))
            .expect("a request"),
    )
    .await
}

/// The `ETag` of `path` below the routes of `globex`.
pub async fn etag(router: &Router, path: &str) -> String {
    let answer = get(router, "globex", path).await;
    etag_of(&answer)
}

pub fn etag_of(answer: &Answer) -> String {
    let etag = answer.headers.get(header::ETAG);
    let etag = etag.unwrap_or_else(|| panic!("no ETag: {answer:?}"));
    etag.to_str().expect("ASCII").to_owned()
}

/// This member of each document on a page.
pub fn shown(answer: &Answer, member: &str) -> Vec<Value> {
    let body = answer.json();
    let documents = body["documents"].as_array().expect("a list").clone();
    documents
        .into_iter()
        .map(|document| document[member].clone())
        .collect()
}
