//! Callers that come back when they are told to, as real ones do.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::wait::until;

/// Sends what `request` makes, again as long as the answer is a 503 that says when to come back.
///
/// A server that other tests keep busy may say so to anybody; a test that is about that answer sends by
/// itself.
///
/// # Errors
/// There is no answer, or none but 503.
pub async fn send(request: impl Fn() -> RequestBuilder) -> Result<Response> {
    until("an answer that is not to come back", async || {
        let answer = request().send().await?;
        let Some(pause) = asked_to_come_back(&answer)? else {
            return Ok(Ok(answer));
        };
        tokio::time::sleep(pause).await;
        Ok(Err(answer.text().await?))
    })
    .await
}

/// The time that a 503 asks for; `None` of every other answer.
fn asked_to_come_back(answer: &Response) -> Result<Option<Duration>> {
    if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
        return Ok(None);
    }
    let after = answer.headers().get(RETRY_AFTER);
    let after = after.with_context(|| format!("a 503 without Retry-After: {answer:?}"))?;
    Ok(Some(Duration::from_secs(after.to_str()?.parse()?)))
}

#[cfg(test)]
mod tests {
    use http::Response as Answer;

    use super::*;

    fn asked(status: u16, after: Option<&str>) -> Result<Option<Duration>> {
        let mut answer = Answer::builder().status(status);
        if let Some(after) = after {
            answer = answer.header(RETRY_AFTER, after);
        }
        asked_to_come_back(&answer.body("").expect("an answer").into())
    }

    #[test]
    fn only_a_503_brings_a_caller_back_and_it_must_say_when() {
        assert_eq!(asked(200, None).expect("fine"), None);
        assert_eq!(asked(429, Some("1")).expect("fine"), None);
        let pause = Some(Duration::from_secs(2));
        assert_eq!(asked(503, Some("2")).expect("fine"), pause);
        for wrong in [None, Some("soon")] {
            assert!(asked(503, wrong).is_err(), "{wrong:?}");
        }
    }
}
