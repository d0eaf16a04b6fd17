//! `GET /docs`: a page to read the API on and to try it, which needs no other host.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use docket_platform::error::Error;
use docket_platform::openapi::Answers;

/// Nothing but this server may be asked for anything. Swagger UI styles elements in place, and has
/// its icons as data.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What the page consists of.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
    compressed: bool,
}

const PAGE: Asset = Asset {
    name: "",
    media_type: "text/html; charset=utf-8",
    content: include_bytes!("page.html"),
    compressed: false,
};

const ASSETS: [Asset; 3] = [
    Asset {
        name: "start.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("start.js"),
        compressed: false,
    },
    Asset {
        name: "swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz")),
        compressed: true,
    },
    Asset {
        name: "swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz")),
        compressed: true,
    },
];

pub(crate) fn routes() -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(asset))
}

/// A page to try the API on
#[utoipa::path(
    get,
    path = "/docs",
    tag = "operations",
    responses((status = 200, description = "HTML", body = String, content_type = "text/html"))
)]
async fn page() -> Response {
    PAGE.into_response()
}

/// A part of that page
#[utoipa::path(
    get,
    path = "/docs/{asset}",
    tag = "operations",
    params(("asset" = String, Path, pattern = r"^(start\.js|swagger-ui-bundle\.js|swagger-ui\.css)$", description = "Name of the file")),
    responses(
        (status = 200, description = "The file, compressed where it is large", content(
            (String = "text/javascript"), (String = "text/css"),
        )),
        Answers<400>,
        Answers<404>,
    )
)]
async fn asset(name: Result<Path<String>, PathRejection>) -> Result<Response, Error> {
    let Path(name) = name?;
    let asset = ASSETS.into_iter().find(|asset| asset.name == name);
    asset.map(Asset::into_response).ok_or(Error::NoRoute)
}

impl IntoResponse for Asset {
    fn into_response(self) -> Response {
        let mut response = Bytes::from_static(self.content).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.media_type),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if self.compressed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}
