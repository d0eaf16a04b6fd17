//! `PUT /clients/{client}/documents/{id}/content`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use docket_platform::audit::Origin;
use docket_platform::conditional;
use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::openapi::Answers;
use headers::{ETag, HeaderMapExt as _};

use super::change::{LifecycleStage, Write, change};
use super::metadata::DocumentPath;
use super::quota::check_quota;
use super::receive::{FileForm, Received, Receiver};
use super::repository::{TABLE, columns};
use super::text::{TextService, search_sql};
use super::{Document, NewDocument, repository};

// All parts see the row as it was locked.
const REPLACE: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: concat!(
        "WITH kept AS (\
           INSERT INTO document_versions \
             (document_id, version, file_size, file_type, content_key, sha256, upload_timestamp) \
           SELECT id, version, file_size, file_type, content_key, sha256, \
             coalesce(content_timestamp, upload_timestamp) FROM document_metadata WHERE id = $1\
         ), words AS (\
           INSERT INTO document_text (document_id, text, search) SELECT $1, $9, ",
        search_sql!("$10", "$11", "$12"),
        " ON CONFLICT (document_id) DO UPDATE SET text = excluded.text, search = excluded.search\
         ) UPDATE document_metadata SET file_size = $2, file_type = $3, content_key = $4::text::uuid, \
           sha256 = $5, version = version + 1, content_timestamp = statement_timestamp(), \
           modified_timestamp = statement_timestamp(), summary = $7, text_state = $8, \
           text_attempts = 0, text_due = now(), text_traceparent = $6 \
         WHERE id = $1 RETURNING ",
        columns!(),
    ),
};

/// Give a document new content
///
/// The content so far stays readable as a version. `If-Match` is about the content: its `ETag`, or `*`
/// for whatever it is. The document keeps its name; PATCH changes that. Digests are as with an upload.
#[utoipa::path(
    put,
    path = "/documents/{id}/content",
    tag = "documents",
    params(
        DocumentPath,
        ("If-Match" = String, Header, description = "The `ETag` of the content that is to be replaced, or `*`"),
        ("Repr-Digest" = Option<String>, Header, description = "The file's `sha-256`"),
        ("Content-Digest" = Option<String>, Header, description = "The body's `sha-256`"),
    ),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The metadata with the new version", body = Document, headers(
            ("ETag" = String, description = "The strong validator of the new content"),
        )),
        Answers<408>,
        Answers<412>,
        Answers<413>,
        Answers<415>,
        Answers<422>,
        Answers<428>,
    )
)]
#[tracing::instrument(name = "replace_content", skip_all, err(level = "debug"))]
pub(crate) async fn replace_content(
    State(database): State<Arc<Database>>,
    State(receiver): State<Arc<Receiver>>,
    State(texts): State<Arc<TextService>>,
    Caller { client, .. }: Caller,
    origin: Origin,
    path: Result<Path<DocumentPath>, PathRejection>,
    request: Request,
) -> Result<Response, Error> {
    let Path(path) = path?;
    let headers = request.headers().clone();
    let is_meant =
        |document: &Document| conditional::require_match(&headers, &content_etag(document));
    // Before a large body is sent for nothing, and once more when nobody can interfere.
    is_meant(&repository::find(&database, &client, path.id).await?)?;
    check_quota(&database, &client, &headers, 0).await?;
    let Received {
        new,
        start,
        mut upload,
    } = receiver.receive(&client, request).await?;
    let document = change(
        (&database, &client, &origin),
        (LifecycleStage::Live, path.id),
        |document| {
            is_meant(document)?;
            write(&texts, document, &new, &start).map(Some)
        },
        || upload.keep(),
    )
    .await?;
    texts.wake(&client);
    let etag = content_etag(&document);
    let mut response = Json(document).into_response();
    response.headers_mut().typed_insert(etag);
    Ok(response)
}

fn content_etag(document: &Document) -> ETag {
    conditional::strong_etag(&document.sha256)
}

fn write(
    text: &TextService,
    document: &Document,
    new: &NewDocument,
    start: &[u8],
) -> Result<Write, Error> {
    let (name, file_type) = (document.filename.as_str(), new.file_type.as_str());
    let texts = text.at_upload(name, file_type, new.file_size, start);
    let bytes = i64::try_from(new.file_size).unwrap_or(i64::MAX);
    let arguments = arguments()
        .with(document.id)?
        .with(bytes)?
        .with(new.file_type.as_str())?
        .with(new.content_key.to_string())?
        .with(new.sha256.as_slice())?
        .with(docket_instrumentation::traceparent())?
        .with(texts.summary.as_deref())?
        .with(texts.state.as_str())?
        .with(texts.text.as_str())?
        .with(texts.name_words.as_str())?
        .with(texts.summary_words.as_str())?
        .with(texts.text_words.as_str())?
        .end();
    Ok(Write {
        action: "replace",
        statement: &REPLACE,
        arguments,
        bytes,
    })
}
