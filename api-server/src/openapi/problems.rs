//! Every problem that the API answers with, as components that the routes refer to.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use super::parameters::response_header as header;
use crate::error::Problem;

/// The problems of one status.
struct Kind {
    status: StatusCode,
    /// Of the component.
    name: &'static str,
    description: &'static str,
    /// Each with the last part of its `type`, and a `detail` as it may be.
    examples: &'static [(&'static str, &'static str)],
}

const KINDS: &[Kind] = &[
    Kind {
        status: StatusCode::BAD_REQUEST,
        name: "BadRequest",
        description: "What was sent makes no sense; `detail` names the part",
        examples: &[(
            "bad-request",
            "the query parameter \"limit\" must be a whole number from 1 to 100",
        )],
    },
    Kind {
        status: StatusCode::UNAUTHORIZED,
        name: "Unauthorized",
        description: "There is no API key, or no token that can be accepted",
        examples: &[
            (
                "api-key-missing",
                "an API key is needed in the header X-API-Key",
            ),
            (
                "token-missing",
                "a token is needed in the header Authorization, as Bearer",
            ),
            ("token-refused", "the token has expired"),
        ],
    },
    Kind {
        status: StatusCode::FORBIDDEN,
        name: "Forbidden",
        description: "The key or token does not open this client, there is no such client, the \
                      token lacks the scope of the route, or what is sent does not fit into the \
                      client's quota",
        examples: &[
            ("api-key-refused", "the API key does not open this client"),
            ("client-refused", "the token does not open this client"),
            (
                "insufficient-scope",
                "the token lacks the scope documents:write",
            ),
            (
                "quota-exceeded",
                "34 more bytes do not fit into the quota: 10 of 10 documents are used, trash and old \
                 versions included; purge what is no longer needed, or have the quota raised",
            ),
        ],
    },
    Kind {
        status: StatusCode::NOT_FOUND,
        name: "NotFound",
        description: "There is no such document, or nothing is served under the path",
        examples: &[
            ("not-found", "there is no such document"),
            ("no-route", "nothing is served under this path"),
        ],
    },
    Kind {
        status: StatusCode::METHOD_NOT_ALLOWED,
        name: "MethodNotAllowed",
        description: "The path has other methods, which the header `Allow` names",
        examples: &[(
            "method-not-allowed",
            "the path is served, but not with this method; see the header Allow",
        )],
    },
    Kind {
        status: StatusCode::REQUEST_TIMEOUT,
        name: "RequestTimeout",
        description: "The caller stopped in the middle of its request",
        examples: &[(
            "client-too-slow",
            "the client was silent for 10 s in the middle of its request",
        )],
    },
    Kind {
        status: StatusCode::CONFLICT,
        name: "Conflict",
        description: "It cannot be done now; `detail` says why",
        examples: &[
            (
                "idempotency-key-in-use",
                "another request with this Idempotency-Key is under way; send it again later",
            ),
            (
                "legal-hold",
                "the document is under legal hold, so it cannot be deleted; first set its legal_hold to false",
            ),
        ],
    },
    Kind {
        status: StatusCode::PRECONDITION_FAILED,
        name: "PreconditionFailed",
        description: "`If-Match` or `If-None-Match` speaks against the current version",
        examples: &[(
            "precondition-failed",
            "what is here is not what If-Match or If-None-Match asks for; read it again",
        )],
    },
    Kind {
        status: StatusCode::PRECONDITION_REQUIRED,
        name: "PreconditionRequired",
        description: "The change must say by `If-Match` what it changes",
        examples: &[(
            "precondition-required",
            "the header If-Match is needed: the ETag of what is to be changed, or * for whatever it is",
        )],
    },
    Kind {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        name: "ContentTooLarge",
        description: "The content is larger than what is accepted",
        examples: &[(
            "too-large",
            "the content is larger than 5368709120 bytes, the largest that is accepted",
        )],
    },
    Kind {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        name: "UnsupportedMediaType",
        description: "The body, or the file in it, has a media type that is not taken",
        examples: &[
            (
                "unsupported-media-type",
                "the file must be sent as multipart/form-data",
            ),
            (
                "type-not-accepted",
                "files of the type text/html are not accepted here, only application/pdf, image/*",
            ),
        ],
    },
    Kind {
        status: StatusCode::RANGE_NOT_SATISFIABLE,
        name: "RangeNotSatisfiable",
        description: "No byte of the range exists",
        examples: &[(
            "range-not-satisfiable",
            "no byte of the range exists: there are 34",
        )],
    },
    Kind {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        name: "UnprocessableContent",
        description: "What was sent is understood, but cannot be taken; `detail` says why",
        examples: &[
            (
                "unprocessable",
                "the file needs a name of 1 to 255 characters in UTF-8; it has 0",
            ),
            (
                "idempotency-key-reused",
                "this Idempotency-Key was used for another upload; a new upload needs a new key",
            ),
        ],
    },
    Kind {
        status: StatusCode::TOO_MANY_REQUESTS,
        name: "TooManyRequests",
        description: "The client sends more requests than it may",
        examples: &[(
            "rate-limited",
            "the client sends more requests than it may; the next one is answered in 1 s",
        )],
    },
    Kind {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        name: "InternalServerError",
        description: "The server failed; its log has the cause under `trace_id`",
        examples: &[(
            "internal",
            "the server failed; its log has the cause under this trace_id",
        )],
    },
    Kind {
        status: StatusCode::SERVICE_UNAVAILABLE,
        name: "ServiceUnavailable",
        description: "What the answer needs is not available now; the same request may be sent again",
        examples: &[
            ("deadline-exceeded", "the request took longer than 10 s"),
            ("database-unavailable", "the database is not available"),
            (
                "issuer-unavailable",
                "the keys of the tokens' issuer are not known yet",
            ),
            (
                "object-store-unavailable",
                "the object store is not available",
            ),
            (
                "uploads-full",
                "the server holds as many uploads as fit into its memory; send this one again later",
            ),
        ],
    },
];

/// Whether the document has this problem.
pub(crate) fn is_listed(status: StatusCode, last_part: &str) -> bool {
    KINDS.iter().any(|kind| {
        let listed = kind.examples.iter().any(|(it, _)| *it == last_part);
        kind.status == status && listed
    })
}

/// In `responses(…)` of a route: it may answer with the problems of this status.
pub(crate) struct Answers<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Answers<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [(STATUS.to_string(), reference(STATUS).into())].into()
    }
}

/// In `responses(…)` of a route: 304 with the `ETag`, when the caller has it already.
pub(crate) struct NotModified;

impl IntoResponses for NotModified {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let etag = header("The strong validator of what the caller has");
        let response = ResponseBuilder::new()
            .description("The caller has it already")
            .header("ETag", etag);
        [("304".to_owned(), response.build().into())].into()
    }
}

/// The component for `status`.
///
/// # Panics
/// When no problem has that status: the tests that make the document show it.
pub(super) fn reference(status: u16) -> Ref {
    let kind = KINDS.iter().find(|kind| kind.status.as_u16() == status);
    let kind = kind.unwrap_or_else(|| panic!("no problem has the status {status}"));
    Ref::from_response_name(kind.name)
}

/// One response for each status.
pub(super) fn components() -> impl Iterator<Item = (String, RefOr<Response>)> {
    KINDS.iter().map(|kind| {
        let response = kind.response();
        (kind.name.to_owned(), response.into())
    })
}

impl Kind {
    fn response(&self) -> Response {
        let examples = self.examples.iter().map(|(last_part, detail)| {
            let problem = json!({
                "type": format!("urn:docket:problem:{last_part}"),
                "title": self.status.canonical_reason(),
                "status": self.status.as_u16(),
                "detail": detail,
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            });
            let example = ExampleBuilder::new().value(Some(problem)).build();
            ((*last_part).to_owned(), example)
        });
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(Problem::name())))
            .examples_from_iter(examples)
            .build();
        let response = ResponseBuilder::new()
            .description(self.description)
            .content("application/problem+json", content);
        match self.status {
            StatusCode::UNAUTHORIZED => response.header(
                "WWW-Authenticate",
                header("How a caller proves whose client it is"),
            ),
            StatusCode::METHOD_NOT_ALLOWED => {
                response.header("Allow", header("The methods that the path has"))
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                response.header("Accept-Patch", header("What a PATCH may be sent as"))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => response.header(
                "Content-Range",
                header("How many bytes there are, as `bytes */34`"),
            ),
            StatusCode::CONFLICT
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::TOO_MANY_REQUESTS => {
                response.header("Retry-After", header("Seconds after which to try again"))
            }
            _ => response,
        }
        .build()
    }
}
