//! Requests of a client.

use axum::Router;
use axum::body::Body;
use http::{HeaderName, Method, Request, header};
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
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nignored\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: text/plain\r\n\r\n"
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
