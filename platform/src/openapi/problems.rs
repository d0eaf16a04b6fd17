//! Every problem that the API answers with, as components that the routes refer to.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use super::parameters::response_header as header;
use crate::error::ProblemBody;
use crate::problem::{ProblemKind, ProblemList};

/// A status that problems may have.
struct ProblemStatus {
    code: StatusCode,
    /// Of the component.
    name: &'static str,
    /// Unless a part of the server says it in words of its own.
    description: &'static str,
    /// What such an answer may have.
    header: Option<(&'static str, &'static str)>,
}

const RETRY_AFTER: Option<(&str, &str)> = Some(("Retry-After", "Seconds after which to try again"));

const STATUSES: &[ProblemStatus] = &[
    ProblemStatus {
        code: StatusCode::BAD_REQUEST,
        name: "BadRequest",
        description: "What was sent makes no sense; `detail` names the part",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::UNAUTHORIZED,
        name: "Unauthorized",
        description: "There is no API key, or no token that can be accepted",
        header: Some(("WWW-Authenticate", "How a caller proves whose client it is")),
    },
    ProblemStatus {
        code: StatusCode::FORBIDDEN,
        name: "Forbidden",
        description: "The key or token does not open this client, there is no such client, the \
                      token lacks the scope of the route, a publishable key is used by a page of \
                      another origin, or what is sent does not fit into the client's quota",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::NOT_FOUND,
        name: "NotFound",
        description: "Nothing is served under the path",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::METHOD_NOT_ALLOWED,
        name: "MethodNotAllowed",
        description: "The path has other methods, which the header `Allow` names",
        header: Some(("Allow", "The methods that the path has")),
    },
    ProblemStatus {
        code: StatusCode::REQUEST_TIMEOUT,
        name: "RequestTimeout",
        description: "The caller stopped in the middle of its request",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::CONFLICT,
        name: "Conflict",
        description: "It cannot be done now; `detail` says why",
        header: RETRY_AFTER,
    },
    ProblemStatus {
        code: StatusCode::PRECONDITION_FAILED,
        name: "PreconditionFailed",
        description: "`If-Match` or `If-None-Match` speaks against the current version",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::PRECONDITION_REQUIRED,
        name: "PreconditionRequired",
        description: "The change must say by `If-Match` what it changes",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::PAYLOAD_TOO_LARGE,
        name: "ContentTooLarge",
        description: "The content is larger than what is accepted",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        name: "UnsupportedMediaType",
        description: "The body has a media type that is not taken",
        header: Some(("Accept-Patch", "What a PATCH may be sent as")),
    },
    ProblemStatus {
        code: StatusCode::RANGE_NOT_SATISFIABLE,
        name: "RangeNotSatisfiable",
        description: "No byte of the range exists",
        header: Some(("Content-Range", "How many bytes there are, as `bytes */34`")),
    },
    ProblemStatus {
        code: StatusCode::UNPROCESSABLE_ENTITY,
        name: "UnprocessableContent",
        description: "What was sent is understood, but cannot be taken; `detail` says why",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::TOO_MANY_REQUESTS,
        name: "TooManyRequests",
        description: "The client sends more requests than it may",
        header: RETRY_AFTER,
    },
    ProblemStatus {
        code: StatusCode::INTERNAL_SERVER_ERROR,
        name: "InternalServerError",
        description: "The server failed; its log has the cause under `trace_id`",
        header: None,
    },
    ProblemStatus {
        code: StatusCode::SERVICE_UNAVAILABLE,
        name: "ServiceUnavailable",
        description: "What the answer needs is not available now; the same request may be sent again",
        header: RETRY_AFTER,
    },
];

/// In `responses(…)` of a route: it may answer with the problems of this status.
pub struct Answers<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Answers<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [(STATUS.to_string(), reference(STATUS).into())].into()
    }
}

/// In `responses(…)` of a route: 304 with the `ETag`, when the caller has it already.
pub struct NotModified;

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
    let found = STATUSES.iter().find(|it| it.code.as_u16() == status);
    let found = found.unwrap_or_else(|| panic!("no problem has the status {status}"));
    Ref::from_response_name(found.name)
}

/// One response for each status that a problem of `lists` has.
pub(super) fn components(lists: &[ProblemList]) -> impl Iterator<Item = (String, RefOr<Response>)> {
    STATUSES.iter().filter_map(|status| {
        let kinds = lists.iter().flat_map(|list| list.kinds);
        let kinds: Vec<&ProblemKind> = kinds.filter(|kind| kind.status == status.code).collect();
        let own_words = lists.iter().flat_map(|list| list.descriptions);
        let own_words: Vec<&str> = own_words
            .filter(|(code, _)| *code == status.code)
            .map(|(_, description)| *description)
            .collect();
        let response = status.response(&kinds, &own_words);
        (!kinds.is_empty()).then(|| (status.name.to_owned(), response.into()))
    })
}

impl ProblemStatus {
    fn response(&self, kinds: &[&ProblemKind], own_words: &[&str]) -> Response {
        // Of two examples of a kind the last one stays.
        let examples = kinds.iter().map(|kind| (kind.name, kind.example));
        let examples: BTreeMap<&str, &str> = examples.collect();
        let examples = examples.into_iter().map(|(last_part, detail)| {
            let problem = json!({
                "type": format!("urn:docket:problem:{last_part}"),
                "title": self.code.canonical_reason(),
                "status": self.code.as_u16(),
                "detail": detail,
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            });
            let example = ExampleBuilder::new().value(Some(problem)).build();
            (last_part.to_owned(), example)
        });
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ProblemBody::name())))
            .examples_from_iter(examples)
            .build();
        let description = match own_words {
            [] => self.description.to_owned(),
            own => own.join("; "),
        };
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content);
        match self.header {
            Some((name, description)) => response.header(name, header(description)),
            None => response,
        }
        .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::kinds;

    const OWN: ProblemList = ProblemList {
        kinds: &[ProblemKind {
            status: StatusCode::RANGE_NOT_SATISFIABLE,
            name: "no-such-page",
            example: "the book has 34 pages",
        }],
        descriptions: &[(StatusCode::NOT_FOUND, "There is no such book")],
    };

    /// The description of a component, if there is one.
    fn described(lists: &[ProblemList], name: &str) -> Option<String> {
        let (_, response) = components(lists).find(|(it, _)| it == name)?;
        match response {
            RefOr::T(response) => Some(response.description),
            RefOr::Ref(_) => None,
        }
    }

    #[test]
    fn a_status_is_described_in_the_words_of_those_who_answer_with_it() {
        let alone = [kinds::PROBLEMS];
        let both = [kinds::PROBLEMS, OWN];
        let here = |text: &str| Some(text.to_owned());
        assert_eq!(described(&alone, "RangeNotSatisfiable"), None);
        assert_eq!(
            described(&both, "RangeNotSatisfiable"),
            here("No byte of the range exists")
        );
        assert_eq!(
            described(&alone, "NotFound"),
            here("Nothing is served under the path")
        );
        assert_eq!(described(&both, "NotFound"), here("There is no such book"));
    }
}
