//! How the OpenAPI document describes an answer with content.

use std::collections::BTreeMap;

use docket_platform::openapi::response_header;
use utoipa::IntoResponses;
use utoipa::openapi::content::Content as Body;
use utoipa::openapi::{RefOr, Response, ResponseBuilder};

/// In `responses(…)` of a route: 200 with the whole, or 206 with parts.
pub(super) struct Content<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Content<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = [
            ("Accept-Ranges", "`bytes`"),
            ("Content-Disposition", "`attachment`, with the file's name"),
            ("ETag", "The strong validator of the content"),
            ("X-Content-Type-Options", "`nosniff`"),
        ]
        .into_iter()
        .fold(ResponseBuilder::new(), |response, (name, description)| {
            response.header(name, response_header(description))
        });
        let response = match STATUS {
            206 => response
                .description("The parts that `Range` names; several as `multipart/byteranges`")
                .header("Content-Range", response_header("Which part, if it is one")),
            _ => response.description("The bytes as they were uploaded, under the document's type"),
        };
        let response = response.content("*/*", Body::default()).build();
        [(STATUS.to_string(), response.into())].into()
    }
}
