//! The kinds of problems that any route may have, whatever the workload.

use http::StatusCode;

use crate::problem::{ProblemKind, ProblemList};

const fn kind(status: StatusCode, name: &'static str, example: &'static str) -> ProblemKind {
    ProblemKind {
        status,
        name,
        example,
    }
}

pub(super) const BAD_REQUEST: ProblemKind = kind(
    StatusCode::BAD_REQUEST,
    "bad-request",
    "the query parameter \"limit\" must be a whole number from 1 to 100",
);
pub(super) const CLIENT_NEEDED: ProblemKind = kind(
    StatusCode::BAD_REQUEST,
    "client-needed",
    "the header X-Client is needed: nothing else that was sent names one client alone",
);
pub(super) const API_KEY_MISSING: ProblemKind = kind(
    StatusCode::UNAUTHORIZED,
    "api-key-missing",
    "an API key is needed in the header X-API-Key",
);
pub(super) const TOKEN_MISSING: ProblemKind = kind(
    StatusCode::UNAUTHORIZED,
    "token-missing",
    "a token is needed in the header Authorization, as Bearer",
);
pub(super) const TOKEN_REFUSED: ProblemKind = kind(
    StatusCode::UNAUTHORIZED,
    "token-refused",
    "the token has expired",
);
pub(super) const API_KEY_REFUSED: ProblemKind = kind(
    StatusCode::FORBIDDEN,
    "api-key-refused",
    "the API key does not open this client",
);
pub(super) const ORIGIN_REFUSED: ProblemKind = kind(
    StatusCode::FORBIDDEN,
    "origin-refused",
    "the publishable key is not for pages of this origin",
);
pub(super) const CLIENT_REFUSED: ProblemKind = kind(
    StatusCode::FORBIDDEN,
    "client-refused",
    "the token does not open this client",
);
pub(super) const INSUFFICIENT_SCOPE: ProblemKind = kind(
    StatusCode::FORBIDDEN,
    "insufficient-scope",
    "the token lacks the scope that the route states",
);
pub(super) const QUOTA_EXCEEDED: ProblemKind = kind(
    StatusCode::FORBIDDEN,
    "quota-exceeded",
    "34 more bytes do not fit into the quota: 990 of 1000 bytes are used; remove what is no longer \
     needed, or have the quota raised",
);
pub(super) const NOT_FOUND: ProblemKind = kind(
    StatusCode::NOT_FOUND,
    "not-found",
    "there is no such client",
);
pub(super) const NO_ROUTE: ProblemKind = kind(
    StatusCode::NOT_FOUND,
    "no-route",
    "nothing is served under this path",
);
pub(super) const METHOD_NOT_ALLOWED: ProblemKind = kind(
    StatusCode::METHOD_NOT_ALLOWED,
    "method-not-allowed",
    "the path is served, but not with this method; see the header Allow",
);
/// Also of what a workload takes in for longer.
pub const CLIENT_TOO_SLOW: ProblemKind = kind(
    StatusCode::REQUEST_TIMEOUT,
    "client-too-slow",
    "the client was silent for 10 s in the middle of its request",
);
pub(super) const KEY_IN_USE: ProblemKind = kind(
    StatusCode::CONFLICT,
    "idempotency-key-in-use",
    "another request with this Idempotency-Key is under way; send it again later",
);
pub(super) const PRECONDITION_FAILED: ProblemKind = kind(
    StatusCode::PRECONDITION_FAILED,
    "precondition-failed",
    "what is here is not what If-Match or If-None-Match asks for; read it again",
);
pub(super) const PRECONDITION_REQUIRED: ProblemKind = kind(
    StatusCode::PRECONDITION_REQUIRED,
    "precondition-required",
    "the header If-Match is needed: the ETag of what is to be changed, or * for whatever it is",
);
pub(super) const TOO_LARGE: ProblemKind = kind(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too-large",
    "the content is larger than 5368709120 bytes, the largest that is accepted",
);
/// Also of a workload that takes other types.
pub const UNSUPPORTED_MEDIA_TYPE: ProblemKind = kind(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported-media-type",
    "the body must be sent as application/json",
);
pub(super) const UNPROCESSABLE: ProblemKind = kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable",
    "a member of the body is not what it must be",
);
pub(super) const KEY_REUSED: ProblemKind = kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency-key-reused",
    "this Idempotency-Key was used for another request; a new request needs a new key",
);
pub(super) const RATE_LIMITED: ProblemKind = kind(
    StatusCode::TOO_MANY_REQUESTS,
    "rate-limited",
    "the client sends more requests than it may; the next one is answered in 1 s",
);
pub(super) const TOO_MANY_AT_ONCE: ProblemKind = kind(
    StatusCode::TOO_MANY_REQUESTS,
    "too-many-at-once",
    "the client has as many requests under way as it may; send this one again once some are answered",
);
pub(super) const INTERNAL: ProblemKind = kind(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "the server failed; its log has the cause under this trace_id",
);
pub(super) const DEADLINE_EXCEEDED: ProblemKind = kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "deadline-exceeded",
    "the request took longer than 10 s",
);
pub(super) const DATABASE_UNAVAILABLE: ProblemKind = kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "database-unavailable",
    "the database is not available",
);
pub(super) const ISSUER_UNAVAILABLE: ProblemKind = kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "issuer-unavailable",
    "the keys of the tokens' issuer are not known yet",
);
pub(super) const DRAINING: ProblemKind = kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "draining",
    "the server ends, and does not know clients and keys that are newer; send the request again",
);
pub(super) const OBJECT_STORE_UNAVAILABLE: ProblemKind = kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "object-store-unavailable",
    "the object store is not available",
);
pub(super) const UPLOADS_FULL: ProblemKind = kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "uploads-full",
    "the server holds as many uploads as fit into its memory; send this one again later",
);

/// All of them.
pub const PROBLEMS: ProblemList = ProblemList {
    kinds: &[
        BAD_REQUEST,
        CLIENT_NEEDED,
        API_KEY_MISSING,
        TOKEN_MISSING,
        TOKEN_REFUSED,
        API_KEY_REFUSED,
        ORIGIN_REFUSED,
        CLIENT_REFUSED,
        INSUFFICIENT_SCOPE,
        QUOTA_EXCEEDED,
        NOT_FOUND,
        NO_ROUTE,
        METHOD_NOT_ALLOWED,
        CLIENT_TOO_SLOW,
        KEY_IN_USE,
        PRECONDITION_FAILED,
        PRECONDITION_REQUIRED,
        TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        UNPROCESSABLE,
        KEY_REUSED,
        RATE_LIMITED,
        TOO_MANY_AT_ONCE,
        INTERNAL,
        DEADLINE_EXCEEDED,
        DATABASE_UNAVAILABLE,
        ISSUER_UNAVAILABLE,
        DRAINING,
        OBJECT_STORE_UNAVAILABLE,
        UPLOADS_FULL,
    ],
    descriptions: &[],
};
