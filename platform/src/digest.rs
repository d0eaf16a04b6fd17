//! Integrity fields of a request: `Content-Digest` and `Repr-Digest` (RFC 9530).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderName};
use sfv::{Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// About the message as it was sent.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
/// About what is sent in it.
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

type Hash = [u8; 32];

/// The `sha-256` of the field `name`; other algorithms are not looked at.
///
/// # Errors
/// [`Error::BadRequest`] when the field cannot be parsed.
pub fn announced(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Hash>, Error> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(|v| v.as_bytes()).collect();
    parse(&lines.join(&b","[..])).ok_or_else(|| {
        Error::BadRequest(format!(
            "the field {name} cannot be parsed: it is written as sha-256=:<base64 of 32 bytes>:"
        ))
    })
}

/// `None` when it is no dictionary of digests, `Some(None)` when it has no `sha-256`.
fn parse(field: &[u8]) -> Option<Option<Hash>> {
    let digests: Dictionary = Parser::new(field).parse().ok()?;
    match digests.get("sha-256") {
        None => Some(None),
        Some(ListEntry::Item(item)) => {
            let hash = item.bare_item.as_byte_sequence()?;
            Some(Some(hash.try_into().ok()?))
        }
        Some(ListEntry::InnerList(_)) => None,
    }
}

/// # Errors
/// [`Error::BadRequest`] when `announced` is not what `arrived`.
pub fn check(name: &HeaderName, announced: Option<Hash>, arrived: Hash) -> Result<(), Error> {
    match announced {
        Some(announced) if announced != arrived => Err(Error::BadRequest(format!(
            "what arrived has the SHA-256 {}, not {} as {name} says",
            hex::encode(arrived),
            hex::encode(announced)
        ))),
        _ => Ok(()),
    }
}

/// A body that is hashed while somebody reads it; a clone reads what that one left over.
#[derive(Clone)]
pub struct Hashed(Arc<Mutex<(BodyDataStream, Sha256)>>);

impl Hashed {
    /// Nothing of `body` was read yet.
    pub fn new(body: Body) -> Self {
        let shared = (body.into_data_stream(), Sha256::new());
        Self(Arc::new(Mutex::new(shared)))
    }

    /// The hash of what was read so far.
    pub fn sha256(&self) -> Hash {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.1.clone().finalize().into()
    }
}

impl Stream for Hashed {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let chunk = ready!(shared.0.poll_next_unpin(context));
        if let Some(Ok(bytes)) = &chunk {
            shared.1.update(bytes);
        }
        Poll::Ready(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    /// Of `{"hello": "world"}` and a line feed, from RFC 9530.
    const EXAMPLE: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

    fn of(lines: &[&str]) -> Result<Option<Hash>, Error> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&REPR_DIGEST, HeaderValue::try_from(*line).expect("a value"));
        }
        announced(&headers, &REPR_DIGEST)
    }

    #[test]
    fn the_example_of_the_rfc_is_understood_alone_and_among_others() {
        let expected: Hash = Sha256::digest(b"{\"hello\": \"world\"}\n").into();
        for lines in [
            vec![EXAMPLE],
            vec!["sha-512=:YQ==:", EXAMPLE],
            vec!["md5=:YQ==:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:;a=1"],
        ] {
            let announced = of(&lines).expect("parsed");
            assert_eq!(announced, Some(expected), "{lines:?}");
            assert!(check(&REPR_DIGEST, announced, expected).is_ok());
            assert!(check(&REPR_DIGEST, announced, [0; 32]).is_err());
        }
    }

    #[test]
    fn what_is_not_announced_is_not_checked() {
        for lines in [vec![], vec!["sha-512=:YQ==:"]] {
            let announced = of(&lines).expect("parsed");
            assert_eq!(announced, None);
            assert!(check(&REPR_DIGEST, announced, [0; 32]).is_ok());
        }
    }

    #[test]
    fn what_cannot_be_parsed_is_refused() {
        for line in [
            "sha-256",
            "sha-256=abc",
            "sha-256=:YQ==:",
            "sha-256=:*:",
            "=",
            "sha-256=()",
        ] {
            assert!(of(&[line]).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_hashed_body_reads_as_it_is(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..9), first in 0_usize..9) {
            let stream = futures::stream::iter(chunks.clone().into_iter().map(Ok::<_, std::io::Error>));
            let mut body = Hashed::new(Body::from_stream(stream));
            let rest = body.clone();
            let read: Vec<u8> = futures::executor::block_on(async {
                let mut read: Vec<_> = body.by_ref().take(first).collect().await;
                read.extend(rest.collect::<Vec<_>>().await);
                read.into_iter().flat_map(|chunk| chunk.expect("bytes")).collect()
            });
            prop_assert_eq!(&read, &chunks.concat());
            prop_assert_eq!(body.sha256(), <Hash>::from(Sha256::digest(&read)));
        }
    }
}
