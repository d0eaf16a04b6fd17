//! A content on its way to a caller: the whole of it, the parts that `Range` names, or what a HEAD says.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRef, FromRequestParts, Path};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use docket_platform::byte_range::{Selection, select};
use docket_platform::conditional::{self, Verdict};
use docket_platform::content_reads::{ContentRead, ContentReads};
use docket_platform::content_store::{Bytestream, ContentStore};
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::peer::Peer;
use docket_platform::tenant::Client;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use headers::{AcceptRanges, ContentLength, ContentRange, ETag, HeaderMapExt as _};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::byteranges::Envelope;
use super::problems::DocumentProblem;
use super::state::DocumentsState;
use super::{Document, disposition};

/// What has contents, for those who hear of reads.
const SUBJECT: &str = "document";

/// The path of a content: it says whose.
pub(super) trait ContentPath: DeserializeOwned + Send {
    /// Where it is found.
    type Source: FromRef<DocumentsState> + Send;

    /// What is stored of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    fn find(
        &self,
        source: &Self::Source,
        client: &Arc<Client>,
    ) -> impl Future<Output = Result<Stored, Error>> + Send;

    /// The document that it is of.
    fn document(&self) -> i64;
}

/// A GET or HEAD of a content.
pub(super) struct Download<P: ContentPath> {
    source: P::Source,
    content: ContentStore,
    reads: Arc<ContentReads>,
    client: Arc<Client>,
    peer: Option<Peer>,
    method: Method,
    headers: HeaderMap,
    path: Result<Path<P>, PathRejection>,
}

impl<P: ContentPath> FromRequestParts<DocumentsState> for Download<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &DocumentsState) -> Result<Self, Error> {
        let Caller { client, .. } = Caller::from_request_parts(parts, state).await?;
        Ok(Self {
            source: FromRef::from_ref(state),
            content: FromRef::from_ref(state),
            reads: FromRef::from_ref(state),
            client,
            peer: parts.extensions.get().copied(),
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            path: Path::from_request_parts(parts, state).await,
        })
    }
}

impl<P: ContentPath> Download<P> {
    /// # Errors
    /// For a path that makes no sense or leads nowhere, and what the preconditions refuse.
    pub(super) async fn answer(self) -> Result<Response, Error> {
        let Path(path) = self.path?;
        let stored = path.find(&self.source, &self.client).await?;
        let (client, is_get) = (self.client, self.method == Method::GET);
        let response = answer(
            self.content,
            client.clone(),
            self.method,
            &self.headers,
            stored,
        )
        .await?;
        if is_get && begins(&response) {
            let subject = (SUBJECT, path.document());
            let (reads, peer, headers) = (self.reads, self.peer, &self.headers);
            reads.tell(|| ContentRead::new(&client, subject, peer, headers));
        }
        Ok(response)
    }
}

/// Whether `response` brings a content from its first byte on: who goes on with a download reads no second time.
fn begins(response: &Response) -> bool {
    match response.status() {
        StatusCode::OK => true,
        StatusCode::PARTIAL_CONTENT => {
            let range = response.headers().typed_get::<ContentRange>();
            let range = range.and_then(|range| range.bytes_range());
            range.is_some_and(|(first, _)| first == 0)
        }
        _ => false,
    }
}

/// Bytes in the object store, and what a download says of them.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) filename: String,
    pub(super) file_type: String,
    pub(super) file_size: i64,
    pub(super) sha256: Vec<u8>,
    pub(super) content_key: Uuid,
}

impl From<&Document> for Stored {
    fn from(document: &Document) -> Self {
        Self {
            filename: document.filename.clone(),
            file_type: document.file_type.clone(),
            file_size: document.file_size,
            sha256: document.sha256.clone(),
            content_key: document.content_key,
        }
    }
}

/// Answers GET or HEAD with `stored`, or with as much of it as `headers` ask for.
async fn answer(
    content: ContentStore,
    client: Arc<Client>,
    method: Method,
    headers: &HeaderMap,
    stored: Stored,
) -> Result<Response, Error> {
    let etag = conditional::strong_etag(&stored.sha256);
    if conditional::evaluate(headers, &etag)? == Verdict::NotModified {
        return Ok(conditional::not_modified(etag));
    }
    let read = Read {
        size: u64::try_from(stored.file_size).unwrap_or_default(),
        file_type: HeaderValue::try_from(&stored.file_type)
            .unwrap_or(HeaderValue::from_static("application/octet-stream")),
        content,
        client,
        stored,
    };
    let mut response = match method {
        // Range is defined for GET alone.
        Method::HEAD => read.answer_whole(Body::empty()),
        _ => match selection(headers, &etag, read.size) {
            Selection::Whole => read.whole().await?,
            Selection::Parts(parts) if parts.len() == 1 => read.part(parts[0].clone()).await?,
            Selection::Parts(parts) => read.parts(parts).await?,
            Selection::Unsatisfiable => {
                return Err(DocumentProblem::RangeNotSatisfiable(read.size).into());
            }
        },
    };
    describe(response.headers_mut(), &read.stored, etag);
    Ok(response)
}

fn selection(headers: &HeaderMap, etag: &ETag, size: u64) -> Selection {
    let range = headers
        .get(header::RANGE)
        .filter(|_| conditional::range_counts(headers, etag))
        .and_then(|value| value.to_str().ok());
    range.map_or(Selection::Whole, |range| select(range, size))
}

/// A download under way.
struct Read {
    content: ContentStore,
    client: Arc<Client>,
    stored: Stored,
    file_type: HeaderValue,
    size: u64,
}

impl Read {
    async fn whole(&self) -> Result<Response, Error> {
        let bytes = self.bytes(None).await?;
        Ok(self.answer_whole(Body::from_stream(bytes)))
    }

    fn answer_whole(&self, body: Body) -> Response {
        response(StatusCode::OK, self.file_type.clone(), self.size, body)
    }

    async fn part(&self, part: Range<u64>) -> Result<Response, Error> {
        let length = part.end - part.start;
        let body = Body::from_stream(self.bytes(Some(part.clone())).await?);
        let status = StatusCode::PARTIAL_CONTENT;
        let mut response = response(status, self.file_type.clone(), length, body);
        if let Ok(range) = ContentRange::bytes(part, self.size) {
            response.headers_mut().typed_insert(range);
        }
        Ok(response)
    }

    /// Only the first part is asked for at once: the store need not hold the others open.
    async fn parts(&self, parts: Vec<Range<u64>>) -> Result<Response, Error> {
        let file_type = self.file_type.to_str().unwrap_or_default();
        let envelope = Envelope::new(&parts, self.size, file_type);
        let media_type = HeaderValue::try_from(envelope.media_type())
            .unwrap_or(HeaderValue::from_static("multipart/byteranges"));
        let first = self.bytes(parts.first().cloned()).await?;
        let (content, client) = (self.content.clone(), self.client.clone());
        let key = self.stored.content_key;
        let others = stream::iter(parts.into_iter().skip(1)).then(move |part| {
            let (content, client) = (content.clone(), client.clone());
            async move { content.read(&client, key, Some(part)).await }
        });
        let body = stream::once(async { Ok(first) })
            .chain(others)
            .zip(stream::iter(envelope.heads))
            .map(|(bytes, head)| bytes.map(|bytes| around(head, bytes)))
            .try_flatten()
            .chain(stream::once(async { Ok(envelope.end) }));
        let body = Body::from_stream(body);
        let status = StatusCode::PARTIAL_CONTENT;
        Ok(response(status, media_type, envelope.length, body))
    }

    async fn bytes(&self, part: Option<Range<u64>>) -> Result<Bytestream, Error> {
        let key = self.stored.content_key;
        self.content.read(&self.client, key, part).await
    }
}

fn around(head: Bytes, bytes: Bytestream) -> stream::BoxStream<'static, Result<Bytes, Error>> {
    let head = stream::once(async { Ok(head) });
    head.chain(bytes.map_err(Error::from)).boxed()
}

fn response(status: StatusCode, media_type: HeaderValue, length: u64, body: Body) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.typed_insert(ContentLength(length));
    response
}

/// What every answer with content says of it.
fn describe(headers: &mut HeaderMap, stored: &Stored, etag: ETag) {
    let disposition = disposition::attachment(&stored.filename);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.typed_insert(AcceptRanges::bytes());
    headers.typed_insert(etag);
}
