//! `GET /clients/{client}/documents/{id}/content`.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderValue, Method, header};

use super::metadata::DocumentPath;
use super::{Document, disposition, repository};
use crate::app::SharedApp;
use crate::error::Error;
use crate::middleware::auth::Caller;

/// 200 with the bytes as they were uploaded; HEAD asks the database only.
#[tracing::instrument(name = "get_content", skip_all, err(level = "debug"))]
pub(crate) async fn get_content(
    State(app): SharedApp,
    Caller(client): Caller,
    method: Method,
    path: Result<Path<DocumentPath>, PathRejection>,
) -> Result<Response, Error> {
    let Path(path) = path?;
    let document = repository::find(&app.database, &client, path.id).await?;
    let body = match method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(app.content.read(&client, document.content_key).await?),
    };
    Ok(answer(&document, body))
}

fn answer(document: &Document, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let file_type = HeaderValue::try_from(&document.file_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, file_type);
    headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(document.file_size),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition::attachment(&document.filename),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", hex::encode(&document.sha256))) {
        headers.insert(header::ETAG, etag);
    }
    response
}
