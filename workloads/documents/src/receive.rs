//! A file on its way from a multipart request into the object store.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest as _, Request};
use bytes::Bytes;
use docket_platform::content_owners::ContentOwners;
use docket_platform::content_store::{ContentStore, Upload};
use docket_platform::digest::{self, CONTENT_DIGEST, Hashed, REPR_DIGEST};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;
use tracing::field::Empty;
use utoipa::ToSchema;
use uuid::Uuid;

use super::form_overhead::FormOverhead;
use super::problems::DocumentProblem;
use super::state::Limits;
use super::{AcceptedTypes, ENVELOPE, FileType, Filename, NewDocument, file_type, text};

const FIELD: &str = "file";

/// The body that carries a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read as a stream; this tells what is in it")]
pub(super) struct FileForm {
    /// The file, with its name; other fields are not looked at.
    #[schema(value_type = String, format = Binary)]
    file: Bytes,
}

/// A file that is in the object store, where nothing refers to it yet.
pub(super) struct Received {
    pub(super) new: NewDocument,
    /// Its first [`text::INLINE`] bytes.
    pub(super) start: Vec<u8>,
    /// Takes the object away again unless it is [kept](Upload::keep).
    pub(super) upload: Upload,
}

/// Takes in files.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) content: ContentStore,
    pub(super) owners: Arc<ContentOwners>,
    pub(super) accepted_types: AcceptedTypes,
    pub(super) limits: Limits,
}

impl Receiver {
    /// Stores the bytes of the multipart field `file` while they come in.
    ///
    /// `Repr-Digest` is about the file, `Content-Digest` about the body as sent, or in the headers of the
    /// part about the file (RFC 9530).
    ///
    /// # Errors
    /// 4xx for a body that is not such a file, or not what a digest says; nothing is stored then.
    pub(super) async fn receive(
        &self,
        client: &Arc<Client>,
        request: Request,
    ) -> Result<Received, Error> {
        self.owners.claim_soon(client);
        let key = Uuid::now_v7();
        let mut upload = self.content.upload(client, key);
        // What is on its way for longer could be swept before a document refers to it.
        let limit = self.limits.orphan_grace / 2;
        let receiving = self.receive_into(&mut upload, key, request);
        let (new, start) = tokio::time::timeout(limit, receiving)
            .await
            .map_err(|_| DocumentProblem::UploadTooLong(limit))??;
        Ok(Received { new, start, upload })
    }

    /// Reads what [`receive`](Self::receive) would store, and stores nothing.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn read(
        &self,
        client: &Client,
        request: Request,
    ) -> Result<NewDocument, Error> {
        let key = Uuid::now_v7();
        let mut nowhere = self.content.upload(client, key).discarded();
        let (new, _) = self.receive_into(&mut nowhere, key, request).await?;
        Ok(new)
    }

    /// Looks at content that is in the store already as at that of an upload: whether it is what `claimed` says,
    /// and of a type that is taken.
    ///
    /// # Errors
    /// 422 for another hash, 415 for a type that is not taken.
    pub(super) async fn verify(
        &self,
        client: &Client,
        claimed: NewDocument,
    ) -> Result<NewDocument, Error> {
        let mut content = self.content.read(client, claimed.content_key, None).await?;
        let (mut start, mut hash) = (Vec::new(), Sha256::new());
        while let Some(chunk) = content.next().await {
            let chunk = chunk?;
            hash.update(&chunk);
            let missing = file_type::START.saturating_sub(start.len());
            start.extend_from_slice(&chunk[..chunk.len().min(missing)]);
        }
        let file_type = FileType::of(&start, Some(claimed.file_type.as_str()));
        self.accepted_types.check(&file_type)?;
        let found: [u8; 32] = hash.finalize().into();
        if found != claimed.sha256 {
            let sentence = "sha256 is not that of the content";
            return Err(Error::Unprocessable(sentence.into()));
        }
        Ok(NewDocument {
            file_type,
            ..claimed
        })
    }

    async fn receive_into(
        &self,
        upload: &mut Upload,
        key: Uuid,
        request: Request,
    ) -> Result<(NewDocument, Vec<u8>), Error> {
        let headers = request.headers().clone();
        refuse_coding(&headers)?;
        if let Some(size) = announced_size(&headers) {
            if size > self.limits.max_upload_bytes.saturating_add(ENVELOPE) {
                return Err(Error::TooLarge(self.limits.max_upload_bytes));
            }
            upload.expect(size);
        }
        let of_body = digest::announced(&headers, &CONTENT_DIGEST)?;
        let of_file = digest::announced(&headers, &REPR_DIGEST)?;
        let (request, body) = match of_body {
            Some(_) => hashed(request),
            None => (request, None),
        };
        let overhead = FormOverhead::default();
        let multipart = Multipart::from_request(overhead.watch(request), &()).await;
        let mut multipart = multipart.map_err(|_| not_multipart(&headers))?;
        let received = self.process(&mut multipart, &overhead, upload, key).await;
        let (new, start) = received.map_err(|error| overhead.refusal().unwrap_or(error))?;
        digest::check(&REPR_DIGEST, of_file, new.sha256)?;
        if let Some(body) = body {
            let arrived = self.read_to_end(body).await?;
            digest::check(&CONTENT_DIGEST, of_body, arrived)?;
        }
        Ok((new, start))
    }

    /// Reads the file, and stores it while it comes in.
    async fn process(
        &self,
        multipart: &mut Multipart,
        overhead: &FormOverhead,
        upload: &mut Upload,
        key: Uuid,
    ) -> Result<(NewDocument, Vec<u8>), Error> {
        let span = tracing::info_span!("file_processing", file_size = Empty, file_type = Empty);
        let work = async {
            let (new, start) = loop {
                match self.next_field(multipart).await? {
                    Some(field) if field.name() == Some(FIELD) => {
                        break self.store(field, overhead, upload, key).await?;
                    }
                    Some(_) => {}
                    None => {
                        let sentence = format!("the multipart body has no field named {FIELD:?}");
                        return Err(Error::BadRequest(sentence));
                    }
                }
            };
            // A body that is not read to its end would cost the caller its connection.
            while let Some(field) = self.next_field(multipart).await? {
                if field.name() == Some(FIELD) {
                    let sentence = format!("the multipart body has two fields named {FIELD:?}");
                    return Err(Error::BadRequest(sentence));
                }
            }
            let span = tracing::Span::current();
            span.record("file_size", new.file_size);
            span.record("file_type", new.file_type.as_str());
            Ok((new, start))
        };
        work.instrument(span.clone()).await
    }

    /// Writes the field into the object. The two spans overlap, as reading and saving do.
    async fn store(
        &self,
        mut field: Field<'_>,
        overhead: &FormOverhead,
        upload: &mut Upload,
        content_key: Uuid,
    ) -> Result<(NewDocument, Vec<u8>), Error> {
        let filename = Filename::parse(field.file_name().unwrap_or_default())?;
        let declared = field.content_type().map(str::to_owned);
        // In the part's own headers both are about the same bytes.
        let of_part = digest::announced(field.headers(), &CONTENT_DIGEST)?;
        let of_file = digest::announced(field.headers(), &REPR_DIGEST)?;
        let reading = tracing::info_span!("file_read");
        let saving = tracing::info_span!("file_save");
        let (mut file_size, mut hash) = (0_u64, Sha256::new());
        let mut start = Vec::new();
        let shown = |start: &[u8]| {
            let start = &start[..start.len().min(file_type::START)];
            FileType::of(start, declared.as_deref())
        };
        while let Some(chunk) = self
            .next_chunk(&mut field)
            .instrument(reading.clone())
            .await?
        {
            overhead.is_file(chunk.len());
            file_size += chunk.len() as u64;
            if file_size > self.limits.max_upload_bytes {
                return Err(Error::TooLarge(self.limits.max_upload_bytes));
            }
            hash.update(&chunk);
            let had = start.len();
            let missing = text::INLINE.saturating_sub(had);
            start.extend_from_slice(&chunk[..chunk.len().min(missing)]);
            // As soon as the bytes show it, so that the rest need not come.
            if had < file_type::START && start.len() >= file_type::START {
                self.accepted_types.check(&shown(&start))?;
            }
            upload.write(chunk).instrument(saving.clone()).await?;
        }
        drop(reading);
        let file_type = shown(&start);
        self.accepted_types.check(&file_type)?;
        let sha256 = hash.finalize().into();
        digest::check(&CONTENT_DIGEST, of_part, sha256)?;
        digest::check(&REPR_DIGEST, of_file, sha256)?;
        upload.finish().instrument(saving).await?;
        let new = NewDocument {
            filename,
            file_size,
            file_type,
            content_key,
            sha256,
        };
        Ok((new, start))
    }

    /// The hash of the whole body, what follows the last boundary included.
    async fn read_to_end(&self, mut body: Hashed) -> Result<[u8; 32], Error> {
        let limit = self.limits.request_timeout;
        let mut left = ENVELOPE;
        loop {
            let chunk = tokio::time::timeout(limit, body.next())
                .await
                .map_err(|_| Error::ClientTooSlow(limit))?;
            let Some(chunk) = chunk else {
                return Ok(body.sha256());
            };
            let bytes = chunk.map_err(|error| {
                Error::BadRequest(format!("the body cannot be read to its end: {error}"))
            })?;
            left = left
                .checked_sub(bytes.len() as u64)
                .ok_or(Error::TooLarge(self.limits.max_upload_bytes))?;
        }
    }

    async fn next_field<'m>(
        &self,
        multipart: &'m mut Multipart,
    ) -> Result<Option<Field<'m>>, Error> {
        self.in_time(multipart.next_field()).await
    }

    async fn next_chunk(&self, field: &mut Field<'_>) -> Result<Option<Bytes>, Error> {
        self.in_time(field.chunk()).await
    }

    /// A caller may take its time, but not stop.
    async fn in_time<T>(
        &self,
        read: impl Future<Output = Result<T, MultipartError>>,
    ) -> Result<T, Error> {
        let limit = self.limits.request_timeout;
        match tokio::time::timeout(limit, read).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Error::TooLarge(self.limits.max_upload_bytes))
            }
            Ok(Err(error)) => Err(Error::BadRequest(format!(
                "the multipart body cannot be understood: {}",
                error.body_text()
            ))),
            Err(_) => Err(Error::ClientTooSlow(limit)),
        }
    }
}

/// The same request, and its body to ask for the hash.
fn hashed(request: Request) -> (Request, Option<Hashed>) {
    let (parts, body) = request.into_parts();
    let body = Hashed::new(body);
    let request = Request::from_parts(parts, Body::from_stream(body.clone()));
    (request, Some(body))
}

/// The size of the body, if the caller says it before.
fn announced_size(headers: &HeaderMap) -> Option<u64> {
    let size = headers.get(header::CONTENT_LENGTH)?;
    size.to_str().ok()?.parse().ok()
}

fn refuse_coding(headers: &HeaderMap) -> Result<(), Error> {
    let coded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    match coded {
        true => Err(Error::UnsupportedMediaType(
            "the body must be sent without a Content-Encoding",
        )),
        false => Ok(()),
    }
}

fn not_multipart(headers: &HeaderMap) -> Error {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let sent = sent.and_then(FileType::parse);
    match sent.as_ref().map(FileType::essence) {
        Some("multipart/form-data") => {
            Error::BadRequest("the multipart body has no valid boundary".into())
        }
        _ => Error::UnsupportedMediaType("the file must be sent as multipart/form-data"),
    }
}
