//! `PUT /clients/{client}/upload-document`.

use axum::Json;
use axum::extract::{Request, State};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::receive::{FileForm, Received, receive};
use super::room::check_room;
use super::{Document, repository};
use crate::app::SharedApp;
use crate::audit::Origin;
use crate::error::Error;
use crate::middleware::auth::Caller;
use crate::openapi::Answers;
use crate::text::Texts;

/// The answer to an upload.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Uploaded {
    message: &'static str,
    client_id: String,
    /// The `id` of the metadata.
    #[schema(minimum = 1)]
    document_id: i64,
    metadata: Document,
}

/// Upload a document
///
/// From the answer on the file is stored for good. `Repr-Digest` is about the file, `Content-Digest`
/// about the body as sent, or in the headers of the part about the file (RFC 9530): nothing is stored
/// when one differs.
#[utoipa::path(
    put,
    path = "/clients/{client}/upload-document",
    tag = "documents",
    params(
        ("Repr-Digest" = Option<String>, Header, description = "The file's `sha-256`"),
        ("Content-Digest" = Option<String>, Header, description = "The body's `sha-256`"),
    ),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "It is stored", body = Uploaded),
        Answers<408>,
        Answers<413>,
        Answers<415>,
        Answers<422>,
    )
)]
#[tracing::instrument(name = "upload_document", skip_all, err(level = "debug"))]
pub(crate) async fn upload_document(
    State(app): SharedApp,
    Caller(client): Caller,
    origin: Origin,
    request: Request,
) -> Result<(StatusCode, Json<Uploaded>), Error> {
    check_room(&app, &client, request.headers(), 1).await?;
    let Received {
        new,
        start,
        mut upload,
    } = receive(&app, &client, request).await?;
    let (name, file_type) = (new.filename.as_str(), new.file_type.as_str());
    let texts = Texts::at_upload(name, file_type, new.file_size, &start);
    let keep = || upload.keep();
    let metadata = repository::insert(&app.database, &client, &origin, &new, &texts, keep).await?;
    let uploaded = Uploaded {
        message: "Document uploaded successfully",
        client_id: client.name.clone(),
        document_id: metadata.id,
        metadata,
    };
    Ok((StatusCode::CREATED, Json(uploaded)))
}
