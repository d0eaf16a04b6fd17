//! What was answered, so that it can be answered again.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::error::Error;

/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer whose body is at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its own headers: those that any answer has are added to each anew.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The same, given again.
    pub fn replayed(self) -> Response {
        let mut response = self.into_response();
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, replayed);
        response
    }

    /// As the columns `status`, `headers` and `body` have it; a header is `name: value`.
    pub(super) fn columns(&self) -> Result<(i16, Vec<String>, &[u8]), Error> {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = value
                .to_str()
                .map_err(|error| sqlx::Error::Encode(error.into()))?;
            Ok(format!("{name}: {value}"))
        };
        let headers: Result<Vec<String>, sqlx::Error> = self.headers.iter().map(header).collect();
        let status = i16::try_from(self.status.as_u16()).unwrap_or(i16::MAX);
        Ok((status, headers?, &self.body))
    }

    /// What a row has of an answer; nothing while the request is under way.
    pub(super) fn of_row(row: &PgRow) -> Result<Option<Self>, Error> {
        let Some(status) = row.try_get::<Option<i16>, _>("status")? else {
            return Ok(None);
        };
        let headers: Vec<String> = row.try_get("headers")?;
        let body: Vec<u8> = row.try_get("body")?;
        Ok(Some(Self::of_columns(status, &headers, body)?))
    }

    fn of_columns(status: i16, headers: &[String], body: Vec<u8>) -> Result<Self, Error> {
        let unreadable = || sqlx::Error::Decode("no answer of HTTP".into());
        let status = u16::try_from(status).ok();
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let header = |line: &String| {
            let (name, value) = line.split_once(": ")?;
            Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?))
        };
        let headers: Option<Vec<(HeaderName, HeaderValue)>> = headers.iter().map(header).collect();
        Ok(Self {
            status: status.ok_or_else(unreadable)?,
            headers: headers.ok_or_else(unreadable)?.into_iter().collect(),
            body: body.into(),
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_answered_again_and_says_so() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.append("link", HeaderValue::from_static("</a>; rel=\"a: b\""));
        let answer = Answer {
            status: StatusCode::CREATED,
            headers,
            body: "{}".into(),
        };
        let (status, headers, body) = answer.columns().expect("ASCII");
        let read = Answer::of_columns(status, &headers, body.to_vec()).expect("an answer");
        assert_eq!(read, answer);
        let replayed = read.replayed();
        assert_eq!(replayed.headers()["idempotency-replayed"], "true");
        assert_eq!(replayed.headers()["link"], "</a>; rel=\"a: b\"");
        assert_eq!(replayed.status(), StatusCode::CREATED);
    }

    #[test]
    fn a_row_that_somebody_spoiled_is_an_error_and_no_answer() {
        let lines = |line: &str| vec![line.to_owned()];
        assert!(Answer::of_columns(99, &[], Vec::new()).is_err());
        assert!(Answer::of_columns(201, &lines("no header"), Vec::new()).is_err());
    }
}
