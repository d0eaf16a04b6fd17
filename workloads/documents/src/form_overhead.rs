//! What a multipart body holds beside the file, bounded while it comes in: the parser keeps a preamble
//! and the headers of a part in memory until it has seen their end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bytes::Bytes;
use docket_platform::error::Error;
use futures::{Stream, StreamExt as _};

/// More than several pieces, and than any form has.
const MOST: u64 = 2 * 1024 * 1024;
/// Bytes that the parser is given at once.
const PIECE: usize = 256 * 1024;

/// Bytes that were read, and did not turn out to be the file's.
#[derive(Clone, Debug, Default)]
pub(super) struct FormOverhead(Arc<AtomicU64>);

impl FormOverhead {
    /// The same request, whose body ends with an error once there is too much beside the file.
    pub(super) fn watch(&self, request: Request) -> Request {
        request.map(|body| {
            Body::from_stream(Watched {
                body: body.into_data_stream(),
                overhead: self.clone(),
                left: Bytes::new(),
                rests: false,
            })
        })
    }

    /// So many of the bytes are the file's.
    pub(super) fn is_file(&self, bytes: usize) {
        self.0.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// Why the body ended, if that was the reason.
    pub(super) fn refusal(&self) -> Option<Error> {
        let sentence = || format!("the multipart body has more than {MOST} bytes beside the file");
        self.is_too_much().then(|| Error::BadRequest(sentence()))
    }

    fn is_too_much(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MOST
    }
}

struct Watched {
    body: BodyDataStream,
    overhead: FormOverhead,
    /// What arrived and was not handed on.
    left: Bytes,
    /// The parser reads on for as long as there is something: it must look at what it has first.
    rests: bool,
}

impl Stream for Watched {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(refusal) = self.overhead.refusal() {
            return Poll::Ready(Some(Err(axum::Error::new(refusal))));
        }
        if self.left.is_empty() {
            match ready!(self.body.poll_next_unpin(context)) {
                Some(Ok(bytes)) => self.left = bytes,
                end => return Poll::Ready(end),
            }
        }
        let length = self.left.len().min(PIECE);
        let piece = self.left.split_to(length);
        self.overhead.0.fetch_add(length as u64, Ordering::Relaxed);
        self.rests = true;
        Poll::Ready(Some(Ok(piece)))
    }
}
