//! Why no token is handed out, in the words of RFC 6749, 5.2, beside those of RFC 9457: a library for OAuth
//! reads the one, everybody else the other.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use crate::problem::{Problem, ProblemKind, ProblemList};

const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"docket\", charset=\"UTF-8\"");
/// RFC 6749, 5.2 has it so.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Why no token is handed out.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenProblem {
    #[error("{0}")]
    InvalidRequest(String),
    #[error(
        "the client is not known by this name and key; send both by HTTP Basic, or client_id and X-API-Key"
    )]
    InvalidClient,
    #[error("{0}")]
    InvalidScope(String),
    #[error("grant_type must be client_credentials")]
    UnsupportedGrantType,
}

const INVALID_REQUEST: ProblemKind = ProblemKind {
    status: StatusCode::BAD_REQUEST,
    name: "invalid-request",
    example: "the parameter scope is there more than once",
};
const INVALID_CLIENT: ProblemKind = ProblemKind {
    status: StatusCode::UNAUTHORIZED,
    name: "invalid-client",
    example: "the client is not known by this name and key; send both by HTTP Basic, or client_id and X-API-Key",
};
const INVALID_SCOPE: ProblemKind = ProblemKind {
    status: StatusCode::BAD_REQUEST,
    name: "invalid-scope",
    example: "there is no such scope; there are a:read, a:write",
};
const UNSUPPORTED_GRANT_TYPE: ProblemKind = ProblemKind {
    status: StatusCode::BAD_REQUEST,
    name: "unsupported-grant-type",
    example: "grant_type must be client_credentials",
};

/// All of them.
pub const PROBLEMS: ProblemList = ProblemList {
    kinds: &[
        INVALID_REQUEST,
        INVALID_CLIENT,
        INVALID_SCOPE,
        UNSUPPORTED_GRANT_TYPE,
    ],
    descriptions: &[],
};

impl Problem for TokenProblem {
    fn kind(&self) -> &'static ProblemKind {
        match self {
            Self::InvalidRequest(_) => &INVALID_REQUEST,
            Self::InvalidClient => &INVALID_CLIENT,
            Self::InvalidScope(_) => &INVALID_SCOPE,
            Self::UnsupportedGrantType => &UNSUPPORTED_GRANT_TYPE,
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        if matches!(self, Self::InvalidClient) {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
    }

    fn members(&self) -> Map<String, Value> {
        // The same names, with the underscores of OAuth.
        let error = self.kind().name.replace('-', "_");
        let members = [("error", error), ("error_description", self.to_string())];
        let members = members.map(|(name, value)| (name.to_owned(), value.into()));
        members.into_iter().collect()
    }
}
