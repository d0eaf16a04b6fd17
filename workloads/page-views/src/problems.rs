//! How problems that all workloads share look here.

use docket_platform::error::kinds::UNSUPPORTED_MEDIA_TYPE;
use docket_platform::problem::{ProblemKind, ProblemList};
use http::StatusCode;

/// Page views have no problems of their own.
pub(crate) const PROBLEMS: ProblemList = ProblemList {
    kinds: &[
        ProblemKind {
            example: "the body must be sent as application/json or text/plain",
            ..UNSUPPORTED_MEDIA_TYPE
        },
        ProblemKind {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            name: "unprocessable",
            example: "the body must be {\"views\": […]} with 1 to 1000 views",
        },
    ],
    descriptions: &[],
};
