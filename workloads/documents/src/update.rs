//! `PATCH /clients/{client}/documents/{id}`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest as _, Path, Request, State};
use docket_platform::audit::Origin;
use docket_platform::conditional::{self, Representation};
use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::openapi::Answers;
use http::{HeaderMap, header};

use super::change::{LifecycleStage, Write, change};
use super::metadata::DocumentPath;
use super::patch::{Changed, Patch};
use super::problems::DocumentProblem;
use super::repository::{TABLE, columns};
use super::state::Limits;
use super::text::TextService;
use super::{ADMIN, Document};

// Its name is a part of what a search looks through.
const UPDATE: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: concat!(
        "UPDATE document_metadata SET filename = $2, tags = $3, legal_hold = $4, \
           modified_timestamp = statement_timestamp(), \
           text_state = CASE WHEN $5 THEN 'Pending' ELSE text_state END, \
           text_attempts = CASE WHEN $5 THEN 0 ELSE text_attempts END, \
           text_due = CASE WHEN $5 THEN now() ELSE text_due END, \
           text_traceparent = CASE WHEN $5 THEN $6 ELSE text_traceparent END \
         WHERE id = $1 RETURNING ",
        columns!(),
    ),
};

/// Change a document's name, tags or legal hold
///
/// A JSON Merge Patch (RFC 7396): what is absent stays as it is. `If-Match` is about the metadata: its
/// `ETag`, or `*` for whatever it is.
#[utoipa::path(
    patch,
    path = "/documents/{id}",
    tag = "documents",
    params(
        DocumentPath,
        ("If-Match" = String, Header, description = "The `ETag` of the metadata that is to be changed, or `*`"),
    ),
    request_body(content(
        (Patch = "application/merge-patch+json"),
        (Patch = "application/json"),
    )),
    responses(
        (status = 200, description = "The new metadata", body = Document, headers(
            ("ETag" = String, description = "The strong validator of this answer"),
        )),
        Answers<408>,
        Answers<412>,
        Answers<413>,
        Answers<415>,
        Answers<422>,
        Answers<428>,
    )
)]
#[tracing::instrument(name = "update_document", skip_all, err(level = "debug"))]
pub(crate) async fn update_document(
    State(database): State<Arc<Database>>,
    State(texts): State<Arc<TextService>>,
    State(limits): State<Limits>,
    Caller { client, scopes, .. }: Caller,
    origin: Origin,
    path: Result<Path<DocumentPath>, PathRejection>,
    request: Request,
) -> Result<Representation, Error> {
    let Path(path) = path?;
    let headers = request.headers().clone();
    refuse_other_types(&headers)?;
    let patch = Patch::parse(&read(limits, request).await?)?;
    if patch.names_legal_hold() {
        scopes.check(&[ADMIN])?;
    }
    let document = change(
        (&database, &client, &origin),
        (LifecycleStage::Live, path.id),
        |document| {
            conditional::require_match(&headers, &Representation::of(document)?.etag)?;
            let changed = patch.apply(document);
            changed.map(|changed| write(path.id, &changed)).transpose()
        },
        || (),
    )
    .await?;
    // A name is found by its words, and those are looked at anew.
    texts.wake(&client);
    Representation::of(&document)
}

fn refuse_other_types(headers: &HeaderMap) -> Result<(), Error> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = sent.and_then(|sent| sent.split(';').next());
    match essence.map(|essence| essence.trim().to_ascii_lowercase()) {
        Some(essence)
            if matches!(
                essence.as_str(),
                "application/merge-patch+json" | "application/json"
            ) =>
        {
            Ok(())
        }
        _ => Err(DocumentProblem::UnsupportedPatch.into()),
    }
}

async fn read(limits: Limits, request: Request) -> Result<Bytes, Error> {
    let limit = limits.request_timeout;
    let body = tokio::time::timeout(limit, Bytes::from_request(request, &())).await;
    Ok(body.map_err(|_| Error::ClientTooSlow(limit))??)
}

fn write(id: i64, changed: &Changed) -> Result<Write, Error> {
    let arguments = arguments()
        .with(id)?
        .with(changed.filename.as_str())?
        .with(changed.tags.as_slice())?
        .with(changed.legal_hold)?
        .with(changed.is_renamed)?
        .with(docket_instrumentation::traceparent())?
        .end();
    Ok(Write {
        action: "update",
        statement: &UPDATE,
        arguments,
        bytes: 0,
    })
}
