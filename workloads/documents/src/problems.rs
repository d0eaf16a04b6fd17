//! The problems that only documents have.

use std::time::Duration;

use docket_platform::error::kinds::{CLIENT_TOO_SLOW, UNSUPPORTED_MEDIA_TYPE};
use docket_platform::problem::{Problem, ProblemKind, ProblemList};
use headers::{ContentRange, HeaderMapExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What a PATCH may be sent as (RFC 5789, 3.1).
const ACCEPT_PATCH: &str = "application/merge-patch+json, application/json";

/// Why something cannot be done with a document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentProblem {
    #[error(
        "the document is under legal hold, so it cannot be deleted; first set its legal_hold to false"
    )]
    LegalHold,
    #[error("no byte of the range exists: there are {0}")]
    RangeNotSatisfiable(u64),
    #[error("the upload was not complete after {} s", .0.as_secs())]
    UploadTooLong(Duration),
    #[error("files of the type {found} are not accepted here, only {accepted}")]
    TypeNotAccepted { found: String, accepted: String },
    #[error("a change of metadata must be sent as {ACCEPT_PATCH}")]
    UnsupportedPatch,
}

const LEGAL_HOLD: ProblemKind = ProblemKind {
    status: StatusCode::CONFLICT,
    name: "legal-hold",
    example: "the document is under legal hold, so it cannot be deleted; first set its legal_hold to false",
};

const RANGE_NOT_SATISFIABLE: ProblemKind = ProblemKind {
    status: StatusCode::RANGE_NOT_SATISFIABLE,
    name: "range-not-satisfiable",
    example: "no byte of the range exists: there are 34",
};

const TYPE_NOT_ACCEPTED: ProblemKind = ProblemKind {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    name: "type-not-accepted",
    example: "files of the type text/html are not accepted here, only application/pdf, image/*",
};

/// Those of documents alone, and how those that all workloads share look here.
pub(crate) const PROBLEMS: ProblemList = ProblemList {
    kinds: &[
        LEGAL_HOLD,
        RANGE_NOT_SATISFIABLE,
        TYPE_NOT_ACCEPTED,
        ProblemKind {
            status: StatusCode::FORBIDDEN,
            name: "quota-exceeded",
            example: "1 more documents and 34 more bytes do not fit into the quota: 10 of 10 documents are used, trash \
                      and old versions included; purge what is no longer needed, or have the quota raised",
        },
        ProblemKind {
            status: StatusCode::FORBIDDEN,
            name: "insufficient-scope",
            example: "the token lacks the scope documents:write",
        },
        ProblemKind {
            status: StatusCode::NOT_FOUND,
            name: "not-found",
            example: "there is no such document",
        },
        ProblemKind {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            name: "unsupported-media-type",
            example: "the file must be sent as multipart/form-data",
        },
        ProblemKind {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            name: "unprocessable",
            example: "the file needs a name of 1 to 255 characters in UTF-8; it has 0",
        },
        ProblemKind {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            name: "idempotency-key-reused",
            example: "this Idempotency-Key was used for another upload; a new upload needs a new key",
        },
    ],
    descriptions: &[
        (
            StatusCode::NOT_FOUND,
            "There is no such document, or nothing is served under the path",
        ),
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body, or the file in it, has a media type that is not taken",
        ),
    ],
};

impl Problem for DocumentProblem {
    fn kind(&self) -> &'static ProblemKind {
        match self {
            Self::LegalHold => &LEGAL_HOLD,
            Self::RangeNotSatisfiable(_) => &RANGE_NOT_SATISFIABLE,
            Self::UploadTooLong(_) => &CLIENT_TOO_SLOW,
            Self::TypeNotAccepted { .. } => &TYPE_NOT_ACCEPTED,
            Self::UnsupportedPatch => &UNSUPPORTED_MEDIA_TYPE,
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        match self {
            Self::RangeNotSatisfiable(size) => {
                headers.typed_insert(ContentRange::unsatisfied_bytes(*size));
            }
            Self::UnsupportedPatch => {
                let accepted = HeaderValue::from_static(ACCEPT_PATCH);
                headers.insert(HeaderName::from_static("accept-patch"), accepted);
            }
            Self::LegalHold | Self::UploadTooLong(_) | Self::TypeNotAccepted { .. } => {}
        }
    }
}
