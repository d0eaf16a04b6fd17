//! `DELETE /clients/{client}/documents/{id}` and `POST …/restore`: into the trash and out of it.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use docket_platform::audit::Origin;
use docket_platform::conditional::{self, Representation};
use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::openapi::{Answers, Preconditions};
use http::{HeaderMap, StatusCode};

use super::Document;
use super::change::{LifecycleStage, Write, change};
use super::metadata::DocumentPath;
use super::problems::DocumentProblem;
use super::repository::{TABLE, columns};

macro_rules! set_deleted {
    ($when:literal) => {
        Statement {
            operation: "UPDATE",
            table: TABLE,
            sql: concat!(
                "UPDATE document_metadata SET deleted_timestamp = ",
                $when,
                ", modified_timestamp = statement_timestamp() WHERE id = $1 RETURNING ",
                columns!(),
            ),
        }
    };
}

const DELETE: Statement = set_deleted!("statement_timestamp()");
const RESTORE: Statement = set_deleted!("NULL");

/// Put a document into the trash
///
/// There it is kept for the client's retention period, with all its versions, and can be restored. A
/// document under legal hold stays. `If-Match` is about the metadata.
#[utoipa::path(
    delete,
    path = "/documents/{id}",
    tag = "documents",
    params(DocumentPath, Preconditions),
    responses(
        (status = 204, description = "It is in the trash"),
        Answers<409>,
        Answers<412>,
    )
)]
#[tracing::instrument(name = "delete_document", skip_all, err(level = "debug"))]
pub(crate) async fn delete_document(
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
    origin: Origin,
    headers: HeaderMap,
    path: Result<Path<DocumentPath>, PathRejection>,
) -> Result<StatusCode, Error> {
    let Path(path) = path?;
    change(
        (&database, &client, &origin),
        (LifecycleStage::Live, path.id),
        |document| {
            conditional::permit(&headers, &Representation::of(document)?.etag)?;
            match document.legal_hold {
                true => Err(DocumentProblem::LegalHold.into()),
                false => write("delete", &DELETE, path.id).map(Some),
            }
        },
        || (),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a document out of the trash
///
/// It is what it was before it was deleted.
#[utoipa::path(
    post,
    path = "/documents/{id}/restore",
    tag = "documents",
    params(DocumentPath),
    responses(
        (status = 200, description = "The metadata", body = Document, headers(
            ("ETag" = String, description = "The strong validator of this answer"),
        )),
    )
)]
#[tracing::instrument(name = "restore_document", skip_all, err(level = "debug"))]
pub(crate) async fn restore_document(
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
    origin: Origin,
    path: Result<Path<DocumentPath>, PathRejection>,
) -> Result<Representation, Error> {
    let Path(path) = path?;
    let document = change(
        (&database, &client, &origin),
        (LifecycleStage::Trash, path.id),
        |_| write("restore", &RESTORE, path.id).map(Some),
        || (),
    )
    .await?;
    Representation::of(&document)
}

fn write(action: &'static str, statement: &'static Statement, id: i64) -> Result<Write, Error> {
    Ok(Write {
        action,
        statement,
        arguments: arguments().with(id)?.end(),
        bytes: 0,
    })
}
