//! `PUT /clients/{client}/upload-document`.

use std::sync::Arc;

use axum::extract::{FromRef, Request, State};
use axum::response::{IntoResponse as _, Response};
use docket_platform::audit::Origin;
use docket_platform::content_store::Upload;
use docket_platform::database::{Database, Transaction};
use docket_platform::error::Error;
use docket_platform::idempotency::{Answer, Claim, Claimed, Fingerprint, IdempotencyKey};
use docket_platform::middleware::auth::Caller;
use docket_platform::openapi::Answers;
use docket_platform::tenant::Client;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use tracing::Instrument as _;
use utoipa::ToSchema;

use super::inserter::Inserter;
use super::insertion::{Insertion, insert, store_metadata};
use super::quota::check_quota;
use super::receive::{FileForm, Received, Receiver};
use super::state::DocumentsState;
use super::text::TextService;
use super::{Document, NewDocument, TABLE};

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
///
/// With an `Idempotency-Key` it may be sent again: the same file gets the same answer for 24 hours, and
/// is stored once.
#[utoipa::path(
    put,
    path = "/upload-document",
    tag = "documents",
    params(
        ("Repr-Digest" = Option<String>, Header, description = "The file's `sha-256`"),
        ("Content-Digest" = Option<String>, Header, description = "The body's `sha-256`"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
            pattern = "^[!#-~]([ -~]*[!-~])?$",
            description = "Names this upload, to send it again; bare or as a quoted string"),
    ),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "It is stored", body = Uploaded, headers(
            ("Idempotency-Replayed" = String, description = "`true` when this was answered before"),
        )),
        Answers<408>,
        Answers<409>,
        Answers<413>,
        Answers<415>,
        Answers<422>,
    )
)]
#[tracing::instrument(name = "upload_document", skip_all, err(level = "debug"))]
pub(crate) async fn upload_document(
    State(uploads): State<Uploads>,
    Caller { client, .. }: Caller,
    origin: Origin,
    request: Request,
) -> Result<Response, Error> {
    let Some(key) = IdempotencyKey::of(request.headers())? else {
        let answer = uploads.upload(&client, origin, request, None).await?;
        return Ok(answer.into_response());
    };
    match Claim::take(&uploads.database, &client, key).await? {
        Claimed::Mine(claim) => {
            let answer = uploads.upload(&client, origin, request, Some(&claim)).await;
            Ok(claim.settle(answer).await?.into_response())
        }
        Claimed::Answered(fingerprint, answer) => {
            let new = uploads.receiver.read(&client, request).await?;
            if meaning(&new) != fingerprint {
                return Err(Error::KeyReused("upload"));
            }
            Ok(answer.replayed())
        }
    }
}

/// What an upload passes.
#[derive(Clone)]
pub(super) struct Uploads {
    database: Arc<Database>,
    receiver: Arc<Receiver>,
    inserter: Arc<Inserter>,
    texts: Arc<TextService>,
}

impl FromRef<DocumentsState> for Uploads {
    fn from_ref(state: &DocumentsState) -> Self {
        Self {
            database: FromRef::from_ref(state),
            receiver: FromRef::from_ref(state),
            inserter: FromRef::from_ref(state),
            texts: FromRef::from_ref(state),
        }
    }
}

impl Uploads {
    /// Stores the file and then its metadata; the answer, and what it answers, in the same transaction.
    async fn upload(
        &self,
        client: &Arc<Client>,
        origin: Origin,
        request: Request,
        claim: Option<&Claim>,
    ) -> Result<Answer, Error> {
        check_quota(&self.database, client, request.headers(), 1).await?;
        let receiving = self.receiver.receive(client, request);
        let Received {
            new,
            start,
            mut upload,
        } = match claim {
            Some(claim) => claim.renewed_during(receiving).await?,
            None => receiving.await?,
        };
        let (name, file_type) = (new.filename.as_str(), new.file_type.as_str());
        let texts = self.texts.at_upload(name, file_type, new.file_size, &start);
        let is_pending = texts.is_pending();
        let work = async {
            let insertion = Arc::new(Insertion::new(new, origin, texts));
            let work = self.insert_and_answer(client, &insertion, claim, &mut upload);
            self.database.within_deadline(work).await
        };
        let answer = work.instrument(store_metadata()).await?;
        if is_pending {
            self.texts.wake(client);
        }
        Ok(answer)
    }

    async fn insert_and_answer(
        &self,
        client: &Arc<Client>,
        insertion: &Arc<Insertion>,
        claim: Option<&Claim>,
        upload: &mut Upload,
    ) -> Result<Answer, Error> {
        let Some(claim) = claim else {
            let document = self.inserter.insert(client, insertion, upload).await?;
            return answer(client, document);
        };
        let database = &self.database;
        let mut connection = database.connection_to_commit(client).await?;
        let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
        let document = insert(database, transaction.as_mut(), client, insertion).await?;
        let answer = answer(client, document)?;
        let meaning = meaning(&insertion.new);
        claim.answer(transaction.as_mut(), meaning, &answer).await?;
        // Past this point an error no longer means that nothing was inserted.
        upload.keep();
        transaction.commit().await?;
        connection.settle();
        Ok(answer)
    }
}

fn answer(client: &Client, metadata: Document) -> Result<Answer, Error> {
    let uploaded = Uploaded {
        message: "Document uploaded successfully",
        client_id: client.name.clone(),
        document_id: metadata.id,
        metadata,
    };
    let json = HeaderValue::from_static("application/json");
    Ok(Answer {
        status: StatusCode::CREATED,
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, json)]),
        body: serde_json::to_vec(&uploaded)
            .map_err(Error::Encoding)?
            .into(),
    })
}

/// What makes two uploads the same.
fn meaning(new: &NewDocument) -> Fingerprint {
    Fingerprint::of(&[
        b"upload-document".as_slice(),
        &new.sha256,
        new.filename.as_str().as_bytes(),
        new.file_type.as_str().as_bytes(),
    ])
}
