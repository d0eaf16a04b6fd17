//! The one place where an error becomes an answer: RFC 9457 `application/problem+json`.

pub mod kinds;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{
    BytesRejection, JsonRejection, PathRejection, RawPathParamsRejection,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::problem::{Problem, ProblemKind};
use crate::usage::Exceeded;

/// Seconds after which a caller may try again what is unavailable now.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");
const CHALLENGE: HeaderValue = HeaderValue::from_static("ApiKey header=\"X-API-Key\"");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why a request is not answered with what it asked for.
///
/// The sources of the last ones are for the log; a caller is told no more than that it failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence of each says what it is")]
pub enum Error {
    #[error("{0}")]
    BadRequest(String),
    #[error("an API key is needed in the header X-API-Key")]
    Unauthorized,
    #[error("the API key does not open this client")]
    Forbidden,
    #[error("the header X-Client is needed: nothing else that was sent names one client alone")]
    ClientNeeded,
    #[error("a publishable key is for pages in a browser, and the request has no header Origin")]
    OriginMissing,
    #[error("the publishable key is not for pages of this origin")]
    OriginRefused,
    #[error("{0}")]
    QuotaExceeded(Box<Exceeded>),
    #[error("another request with this Idempotency-Key is under way; send it again later")]
    KeyInUse,
    #[error("this Idempotency-Key was used for another {0}; a new {0} needs a new key")]
    KeyReused(&'static str),
    #[error("a token is needed in the header Authorization, as Bearer")]
    TokenMissing,
    #[error("{0}")]
    TokenRefused(String),
    #[error("the token does not open this client")]
    ClientRefused,
    #[error("the token lacks the scope {0}")]
    InsufficientScope(&'static str),
    #[error("the keys of the tokens' issuer are not known yet")]
    IssuerUnavailable,
    #[error(
        "the server ends, and does not know clients and keys that are newer; send the request again"
    )]
    Draining,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("nothing is served under this path")]
    NoRoute,
    #[error("the path is served, but not with this method; see the header Allow")]
    MethodNotAllowed,
    #[error("what is here is not what If-Match or If-None-Match asks for; read it again")]
    PreconditionFailed,
    #[error(
        "the header If-Match is needed: the ETag of what is to be changed, or * for whatever it is"
    )]
    PreconditionRequired,
    #[error("the client was silent for {} s in the middle of its request", .0.as_secs())]
    ClientTooSlow(Duration),
    #[error("the content is larger than {0} bytes, the largest that is accepted")]
    TooLarge(u64),
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    #[error("{0}")]
    Unprocessable(String),
    #[error("the client sends more requests than it may; the next one is answered in {} s", whole_seconds(.0))]
    RateLimited(Duration),
    #[error(
        "the client has as many requests under way as it may; send this one again once some are answered"
    )]
    TooManyAtOnce,
    #[error("the request took longer than {} s", .0.as_secs_f64())]
    Deadline(Duration),
    #[error("the database is not available")]
    DatabaseUnavailable(#[source] sqlx::Error),
    #[error("the object store is not available")]
    ContentUnavailable(#[source] object_store::Error),
    #[error("the server holds as many uploads as fit into its memory; send this one again later")]
    MemoryFull,
    #[error("the database refused what it was asked")]
    Database(#[source] sqlx::Error),
    #[error("the content is missing from the object store")]
    ContentMissing,
    #[error("the answer cannot be written as JSON")]
    Encoding(#[source] serde_json::Error),
    #[error("the metrics cannot be shown: {0:#}")]
    Metrics(anyhow::Error),
    #[error("a handler panicked")]
    Panic,
    /// Of a statement that served several requests.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// What a workload brings.
    #[error(transparent)]
    Workload(Arc<dyn Problem>),
}

/// The body of an answer that is an error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// For programs.
    #[schema(pattern = "^urn:docket:problem:[a-z-]+$")]
    r#type: String,
    /// What the status means.
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// For people.
    detail: String,
    /// Finds the request in the server's log and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{32}$")]
    trace_id: Option<String>,
    /// What a workload says beside.
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

impl Error {
    fn kind(&self) -> &'static ProblemKind {
        match self {
            Self::BadRequest(_) => &kinds::BAD_REQUEST,
            Self::Unauthorized => &kinds::API_KEY_MISSING,
            Self::Forbidden => &kinds::API_KEY_REFUSED,
            Self::ClientNeeded => &kinds::CLIENT_NEEDED,
            Self::OriginMissing | Self::OriginRefused => &kinds::ORIGIN_REFUSED,
            Self::QuotaExceeded(_) => &kinds::QUOTA_EXCEEDED,
            Self::KeyInUse => &kinds::KEY_IN_USE,
            Self::KeyReused(_) => &kinds::KEY_REUSED,
            Self::TokenMissing => &kinds::TOKEN_MISSING,
            Self::TokenRefused(_) => &kinds::TOKEN_REFUSED,
            Self::ClientRefused => &kinds::CLIENT_REFUSED,
            Self::InsufficientScope(_) => &kinds::INSUFFICIENT_SCOPE,
            Self::IssuerUnavailable => &kinds::ISSUER_UNAVAILABLE,
            Self::Draining => &kinds::DRAINING,
            Self::NotFound(_) => &kinds::NOT_FOUND,
            Self::NoRoute => &kinds::NO_ROUTE,
            Self::MethodNotAllowed => &kinds::METHOD_NOT_ALLOWED,
            Self::PreconditionFailed => &kinds::PRECONDITION_FAILED,
            Self::PreconditionRequired => &kinds::PRECONDITION_REQUIRED,
            Self::ClientTooSlow(_) => &kinds::CLIENT_TOO_SLOW,
            Self::TooLarge(_) => &kinds::TOO_LARGE,
            Self::UnsupportedMediaType(_) => &kinds::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited(_) => &kinds::RATE_LIMITED,
            Self::TooManyAtOnce => &kinds::TOO_MANY_AT_ONCE,
            Self::Unprocessable(_) => &kinds::UNPROCESSABLE,
            Self::Deadline(_) => &kinds::DEADLINE_EXCEEDED,
            Self::DatabaseUnavailable(_) => &kinds::DATABASE_UNAVAILABLE,
            Self::ContentUnavailable(_) => &kinds::OBJECT_STORE_UNAVAILABLE,
            Self::MemoryFull => &kinds::UPLOADS_FULL,
            Self::Database(_)
            | Self::ContentMissing
            | Self::Encoding(_)
            | Self::Metrics(_)
            | Self::Panic => &kinds::INTERNAL,
            Self::Shared(error) => error.kind(),
            Self::Workload(problem) => problem.kind(),
        }
    }

    /// Whether a server that knows newer clients and keys might have let the caller in.
    pub(crate) const fn refuses_the_unknown(&self) -> bool {
        matches!(
            self,
            Self::Forbidden | Self::OriginRefused | Self::ClientRefused | Self::NotFound(_)
        )
    }

    /// What to send instead: of RFC 6750, 3 where tokens are asked for. Every reason is ASCII
    /// without quotes.
    fn challenge(&self) -> Option<HeaderValue> {
        let bearer =
            |rest: &str| HeaderValue::try_from(format!("Bearer realm=\"docket\"{rest}")).ok();
        match self {
            Self::Unauthorized => Some(CHALLENGE),
            Self::TokenMissing => bearer(""),
            Self::TokenRefused(why) => bearer(&format!(
                ", error=\"invalid_token\", error_description=\"{why}\""
            )),
            Self::InsufficientScope(scope) => bearer(&format!(
                ", error=\"insufficient_scope\", scope=\"{scope}\""
            )),
            _ => None,
        }
    }

    /// What the caller may read; the causes of a 500 stay in the log.
    fn detail(&self) -> String {
        match self.kind().status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                "the server failed; its log has the cause under this trace_id".into()
            }
            _ => self.to_string(),
        }
    }
}

impl IntoResponse for Error {
    /// Leaves its [`ProblemKind`] on the answer, so that [`layers`](crate::middleware::layers) see that
    /// the OpenAPI document lists it.
    fn into_response(self) -> Response {
        let kind = self.kind();
        if kind.status.is_server_error() {
            tracing::error!(error = &self as &dyn std::error::Error, "request failed");
        }
        let body = ProblemBody {
            r#type: format!("urn:docket:problem:{}", kind.name),
            title: kind.status.canonical_reason().unwrap_or("Error"),
            status: kind.status.as_u16(),
            detail: self.detail(),
            trace_id: docket_instrumentation::trace_id(),
            members: match &self {
                Self::Workload(problem) => problem.members(),
                _ => Map::new(),
            },
        };
        let mut response = (kind.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Self::RateLimited(wait) = self {
            headers.insert(header::RETRY_AFTER, whole_seconds(&wait).into());
        }
        if matches!(self, Self::KeyInUse | Self::TooManyAtOnce)
            || kind.status == StatusCode::SERVICE_UNAVAILABLE
        {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if let Self::Workload(problem) = self {
            problem.add_headers(headers);
        }
        response.extensions_mut().insert(kind);
        response
    }
}

impl<P: Problem> From<P> for Error {
    fn from(problem: P) -> Self {
        Self::Workload(Arc::new(problem))
    }
}

/// As `Retry-After` has it: at least 1, and never too early.
fn whole_seconds(wait: &Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero())
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match crate::database::is_outage(&error) {
            true => Self::DatabaseUnavailable(error),
            false => Self::Database(error),
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::ContentUnavailable(error)
    }
}

impl From<PathRejection> for Error {
    fn from(rejection: PathRejection) -> Self {
        Self::BadRequest(format!(
            "the path cannot be understood: {}",
            rejection.body_text()
        ))
    }
}

impl From<RawPathParamsRejection> for Error {
    fn from(rejection: RawPathParamsRejection) -> Self {
        Self::BadRequest(format!(
            "the path cannot be understood: {}",
            rejection.body_text()
        ))
    }
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge(crate::json::MAX_BODY as u64),
            _ => Self::BadRequest(rejection.body_text()),
        }
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::UnsupportedMediaType("the body must be sent as application/json")
            }
            StatusCode::UNPROCESSABLE_ENTITY => Self::Unprocessable(rejection.body_text()),
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge(crate::json::MAX_BODY as u64),
            _ => Self::BadRequest(rejection.body_text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn answer(error: Error) -> (http::response::Parts, serde_json::Value) {
        let (parts, body) = error.into_response().into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        (parts, serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[tokio::test]
    async fn a_problem_says_what_happened_in_the_shape_of_rfc_9457() {
        let (parts, problem) = answer(Error::NotFound("document")).await;
        assert_eq!(
            parts.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        insta::assert_json_snapshot!(problem, @r#"
        {
          "detail": "there is no such document",
          "status": 404,
          "title": "Not Found",
          "type": "urn:docket:problem:not-found"
        }
        "#);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("there is no coffee here")]
    struct Teapot;

    impl Problem for Teapot {
        fn kind(&self) -> &'static ProblemKind {
            &ProblemKind {
                status: StatusCode::IM_A_TEAPOT,
                name: "teapot",
                example: "there is no coffee here",
            }
        }

        fn add_headers(&self, headers: &mut http::HeaderMap) {
            headers.insert(header::ALLOW, HeaderValue::from_static("BREW"));
        }
    }

    #[tokio::test]
    async fn what_a_workload_brings_is_a_problem_like_any_other() {
        let (parts, problem) = answer(Teapot.into()).await;
        assert_eq!(parts.status, 418);
        assert_eq!(parts.headers[header::ALLOW], "BREW");
        assert_eq!(problem["type"], "urn:docket:problem:teapot");
        assert_eq!(problem["detail"], "there is no coffee here");
        let kind = parts.extensions.get::<&'static ProblemKind>();
        assert_eq!(kind, Some(&Teapot.kind()));
    }

    #[tokio::test]
    async fn a_missing_key_is_challenged() {
        let (parts, _) = answer(Error::Unauthorized).await;
        assert_eq!(parts.status, 401);
        assert_eq!(
            parts.headers[header::WWW_AUTHENTICATE],
            "ApiKey header=\"X-API-Key\""
        );
    }

    #[tokio::test]
    async fn an_outage_says_when_to_come_back() {
        let (parts, _) = answer(Error::from(sqlx::Error::PoolTimedOut)).await;
        assert_eq!(parts.status, 503);
        assert_eq!(parts.headers[header::RETRY_AFTER], "2");
    }

    #[tokio::test]
    async fn a_client_that_is_too_fast_is_told_when_its_next_request_is_answered() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2")] {
            let wait = Duration::from_millis(millis);
            let (parts, problem) = answer(Error::RateLimited(wait)).await;
            assert_eq!(parts.status, 429);
            assert_eq!(parts.headers[header::RETRY_AFTER], seconds);
            assert_eq!(problem["type"], "urn:docket:problem:rate-limited");
        }
    }

    #[tokio::test]
    async fn the_cause_of_a_500_is_not_told_to_the_caller() {
        let secret = sqlx::Error::ColumnNotFound("password".into());
        let (parts, problem) = answer(Error::from(secret)).await;
        assert_eq!(parts.status, 500);
        assert!(!problem.to_string().contains("password"));
    }
}
