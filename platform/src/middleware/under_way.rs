//! How many requests of one client are under way at once: each holds a connection until its answer is read.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// The requests of all clients.
#[derive(Debug)]
pub struct RequestsUnderWay(HashMap<String, Arc<Semaphore>>);

impl RequestsUnderWay {
    /// As many as `most` at once of each of `clients`.
    pub(super) fn new<'a>(clients: impl Iterator<Item = &'a str>, most: usize) -> Self {
        let place = || Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self(clients.map(|name| (name.to_owned(), place())).collect())
    }

    /// A place for one more of `client`.
    ///
    /// # Errors
    /// [`Error::TooManyAtOnce`] when it has none left: others shall find some.
    pub(super) fn begin(&self, client: &str) -> Result<UnderWay, Error> {
        let free = self.0.get(client).ok_or(Error::NotFound("client"))?;
        let place = free.clone().try_acquire_owned();
        place
            .map(|place| UnderWay { _place: place })
            .map_err(|_| Error::TooManyAtOnce)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    _place: OwnedSemaphorePermit,
}

impl UnderWay {
    /// It is over once the body of `response` has been read, or nobody reads it any more.
    pub(super) fn until_read(self, response: Response) -> Response {
        match response.body().is_end_stream() {
            true => response,
            false => response.map(|body| Body::new(Held { body, _place: self })),
        }
    }
}

/// A body and the place of its request.
struct Held {
    body: Body,
    _place: UnderWay,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn a_request_has_its_place_until_its_answer_is_read_and_others_have_theirs() {
        let under_way = RequestsUnderWay::new(["globex", "initech"].into_iter(), 1);
        let first = under_way.begin("globex").expect("a place");
        let answer = first.until_read(Response::new(Body::from("an answer")));
        assert_eq!(answer.body().size_hint().exact(), Some(9));
        let second = under_way.begin("globex");
        assert!(matches!(second, Err(Error::TooManyAtOnce)), "{second:?}");
        under_way.begin("initech").expect("a place of its own");
        let read = answer.into_body().collect().await.expect("a body");
        assert_eq!(read.to_bytes(), "an answer");
        let third = under_way.begin("globex").expect("a place again");
        let empty = third.until_read(Response::new(Body::empty()));
        under_way.begin("globex").expect("nothing is to be read");
        drop(empty);
    }
}
