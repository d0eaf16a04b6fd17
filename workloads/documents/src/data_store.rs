//! The data store, for callers inside the tenant's namespace: `POST /clients/{client}/documents`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use docket_platform::audit::Origin;
use docket_platform::content_owners::ContentOwners;
use docket_platform::content_store::Object;
use docket_platform::database::{Database, Transaction};
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tracing::Instrument as _;
use uuid::Uuid;

use super::insertion::{Insertion, insert, store_metadata};
use super::receive::Receiver;
use super::state::Limits;
use super::text::{TextService, Texts};
use super::{Document, FileType, Filename, NewDocument, TABLE};

/// Metadata of content that the caller has put into the object store under its key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateDocument {
    filename: String,
    /// In bytes.
    file_size: u64,
    file_type: String,
    /// A UUID.
    content_key: String,
    /// 64 hex digits.
    sha256: String,
}

impl TryFrom<CreateDocument> for NewDocument {
    type Error = Error;

    fn try_from(sent: CreateDocument) -> Result<Self, Error> {
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&sent.sha256, &mut sha256)
            .map_err(|_| Error::Unprocessable("sha256 must be 64 hex digits".into()))?;
        let file_type = FileType::parse(&sent.file_type)
            .ok_or_else(|| Error::Unprocessable("file_type must be a media type".into()))?;
        let filename = Filename::parse(&sent.filename)?;
        let content_key = Uuid::parse_str(&sent.content_key)
            .map_err(|_| Error::Unprocessable("content_key must be a UUID".into()))?;
        Ok(Self {
            filename,
            file_size: sent.file_size,
            file_type,
            content_key,
            sha256,
        })
    }
}

/// 201 with the [`Document`]; 422 unless the content is in the store with that size and hash, and what an upload
/// is answered where it is too large or of a type that is not taken.
#[tracing::instrument(name = "create_document", skip_all, err(level = "debug"))]
pub(crate) async fn create_document(
    State(database): State<Arc<Database>>,
    State(owners): State<Arc<ContentOwners>>,
    State(texts): State<Arc<TextService>>,
    State(receiver): State<Arc<Receiver>>,
    Caller { client, .. }: Caller,
    origin: Origin,
    sent: Result<Json<CreateDocument>, JsonRejection>,
) -> Result<(StatusCode, Json<Document>), Error> {
    let Json(sent) = sent?;
    let new = NewDocument::try_from(sent)?;
    let limits = receiver.limits;
    if new.file_size > limits.max_upload_bytes {
        return Err(Error::TooLarge(limits.max_upload_bytes));
    }
    owners.claim_soon(&client);
    match owners.content().find(&client, new.content_key).await? {
        Some(object) if object.size != new.file_size => {
            return Err(Error::Unprocessable(format!(
                "the content has {} bytes, not {}",
                object.size, new.file_size
            )));
        }
        Some(object) if is_old(limits, object) => {
            return Err(Error::Unprocessable(
                "the content was put there so long ago that it may be swept; put it there again"
                    .into(),
            ));
        }
        Some(_) => {}
        None => {
            return Err(Error::Unprocessable(
                "there is no content under content_key".into(),
            ));
        }
    }
    let new = receiver.verify(&client, new).await?;
    // The object was here before the request, so it stays whatever happens.
    let unread = Texts::unread(new.filename.as_str(), new.file_type.as_str());
    let work = async {
        let insertion = Insertion::new(new, origin, unread);
        let mut connection = database.connection_to_commit(&client).await?;
        let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
        let document = insert(&database, transaction.as_mut(), &client, &insertion).await?;
        transaction.commit().await?;
        connection.settle();
        Ok(document)
    };
    let work = database.within_deadline(work);
    let document = work.instrument(store_metadata()).await?;
    texts.wake(&client);
    Ok((StatusCode::CREATED, Json(document)))
}

/// Whether a sweep may come before the transaction that is about to begin ends.
fn is_old(limits: Limits, object: Object) -> bool {
    object.modified < Timestamp::now() - limits.orphan_grace / 2
}
