//! What is told of the answers of a bucket's server. A spec names that server, so it may be anybody's: nobody is
//! led elsewhere by it, no more is read of it than an answer has, and of what it says only the status and S3's code are
//! shown.

use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};

/// Longest wait for a connection, and for an answer to its last byte.
const CONNECTING: Duration = Duration::from_secs(5);
const ANSWERING: Duration = Duration::from_secs(10);

/// Bytes of an answer: a list of 1000 objects, whose names are Docket's own, has a quarter of them.
const LARGEST: usize = 2 * 1024 * 1024;

/// Codes of S3 are words such as `AccessDenied`; what is longer is none.
const LONGEST_CODE: usize = 64;

/// The last answer of a server, shared with who connects to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastAnswer(Arc<Mutex<Answer>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    NotAsked,
    NotReached,
    NotInTime,
    Broken,
    Said(StatusCode, Option<String>),
}

impl LastAnswer {
    fn lock(&self) -> MutexGuard<'_, Answer> {
        self.0.lock().expect("no holder of this lock panics")
    }

    /// What was asked for did not come about in time, whatever was answered.
    pub(crate) fn ran_out_of_time(&self) {
        *self.lock() = Answer::NotInTime;
    }
}

impl Display for LastAnswer {
    fn fmt(&self, text: &mut Formatter<'_>) -> fmt::Result {
        match &*self.lock() {
            Answer::NotAsked => text.write_str("it was not asked"),
            Answer::NotReached => text.write_str("it cannot be reached"),
            Answer::NotInTime => text.write_str("it did not answer in time"),
            Answer::Broken => text.write_str("its answer broke off, or is too large"),
            Answer::Said(status, _) if status.is_redirection() => {
                write!(
                    text,
                    "it answered {}, which is not followed",
                    status.as_u16()
                )
            }
            Answer::Said(status, None) => write!(text, "it answered {}", status.as_u16()),
            Answer::Said(status, Some(code)) => {
                write!(text, "it answered {} {code}", status.as_u16())
            }
        }
    }
}

impl HttpConnector for LastAnswer {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECTING)
            .timeout(ANSWERING)
            .build()
            .map_err(|error| object_store::Error::Generic {
                store: "S3",
                source: error.into(),
            })?;
        Ok(HttpClient::new(Observed {
            client: HttpClient::new(client),
            last: self.clone(),
        }))
    }
}

/// Asks, and takes down what is answered.
#[derive(Debug)]
struct Observed {
    client: HttpClient,
    last: LastAnswer,
}

impl Observed {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = self.client.execute(request).await?.into_parts();
        let bytes = read(body).await?;
        *self.last.lock() = Answer::Said(parts.status, code_in(&bytes));
        Ok(HttpResponse::from_parts(parts, bytes.into()))
    }
}

impl HttpService for Observed {
    fn call<'client, 'call>(
        &'client self,
        request: HttpRequest,
    ) -> BoxFuture<'call, Result<HttpResponse, HttpError>>
    where
        'client: 'call,
        Self: 'call,
    {
        async move {
            let answer = self.ask(request).await;
            if let Err(error) = &answer {
                *self.last.lock() = match error.kind() {
                    HttpErrorKind::Connect | HttpErrorKind::Request => Answer::NotReached,
                    HttpErrorKind::Timeout => Answer::NotInTime,
                    _ => Answer::Broken,
                };
            }
            answer
        }
        .boxed()
    }
}

/// An answer that has more bytes than any should have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct TooLarge(Box<dyn std::error::Error + Send + Sync>);

/// The whole of an answer that is not too large.
async fn read(body: HttpResponseBody) -> Result<Bytes, HttpError> {
    match Limited::new(body, LARGEST).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) => Err(match error.downcast::<HttpError>() {
            Ok(broken) => *broken,
            Err(too_large) => HttpError::new(HttpErrorKind::Unknown, TooLarge(too_large)),
        }),
    }
}

/// The first code that an answer names, if it is a word.
fn code_in(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_word = !code.is_empty()
        && code.len() <= LONGEST_CODE
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_word_and_nothing_else_of_an_answer_is() {
        let denied = "<Error><Code>AccessDenied</Code><Message>secret</Message></Error>";
        assert_eq!(code_in(denied.as_bytes()).as_deref(), Some("AccessDenied"));
        let long = format!("<Code>{}</Code>", "a".repeat(LONGEST_CODE + 1));
        for wrong in [
            "secret",
            "<Code></Code>",
            "<Code>a secret</Code>",
            "<Code>a",
            &long,
        ] {
            assert_eq!(code_in(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(code_in(&[0xff, 0xfe]), None);
    }
}
