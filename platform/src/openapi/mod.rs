//! The OpenAPI 3.1 document of the public API, put together from what stands beside each handler.
//!
//! To add a route: write `#[utoipa::path(…)]` above its handler, with what is this route's own (path below
//! `/clients/{client}`, parameters, body, good answers, and its own problems as [`Answers<412>`](Answers));
//! register it with `.routes(routes!(handler))`; run the tests with `INSTA_UPDATE=always` and read the
//! snapshot.
//!
//! The key, `{client}` and the problems of all client routes come by themselves (`client_routes.rs`);
//! a new kind of problem is listed where it is defined.

mod client_routes;
mod parameters;
mod problems;
mod routes;

use std::sync::Arc;

use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{OpenApi, PathItem, RefOr, Response};

use crate::workload::{self, Workload};

pub(crate) use client_routes::{
    allow_publishable_key, complete_at_root, complete_under_clients, methods, require_scope,
};
pub use parameters::{Preconditions, Ranges, response_header};
pub use problems::{Answers, NotModified};
pub use routes::{Document, routes};

/// Name of the security scheme, and of the component that describes it.
const API_KEY: &str = "api_key";
/// The same for tokens.
const BEARER: &str = "bearer";
/// The same for publishable keys in the query.
const PUBLISHABLE_KEY: &str = "publishable_key";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Docket",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "clients", description = "What a client uses and did"),
        (name = "operations", description = "For probes and people; open to all"),
    ),
    components(schemas(crate::error::ProblemBody)),
)]
struct Base;

/// The document of a router that is described by `description`: `clients` are the routes of `workloads` that
/// a client's key opens, `operations` those that are open to all.
pub fn document(
    description: &str,
    workloads: &[Arc<dyn Workload>],
    clients: OpenApi,
    operations: OpenApi,
) -> OpenApi {
    let mut document = Base::openapi();
    document.info.contact = None;
    document.info.description = Some(description.to_owned());
    let tags = workloads.iter().map(|workload| {
        let description = workload.description();
        let tag = TagBuilder::new().name(workload.name());
        tag.description(Some(description)).build()
    });
    document.tags.get_or_insert_default().splice(0..0, tags);
    document.merge(clients);
    document.merge(operations);
    let components = document.components.get_or_insert_default();
    let key = ApiKeyValue::new("X-API-Key");
    let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
    components.add_security_scheme(API_KEY, scheme);
    let key = ApiKeyValue::with_description(
        docket_contract::PUBLISHABLE_KEY_PARAMETER,
        "For pages in a browser, which may send it as `X-API-Key` too: one scope, and only from the \
         origins that it is for",
    );
    let scheme = SecurityScheme::ApiKey(ApiKey::Query(key));
    components.add_security_scheme(PUBLISHABLE_KEY, scheme);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("In tenants whose `spec.api.auth.mode` is `Jwt`"))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(token));
    let problems = workload::problems(workloads);
    components.responses.extend(problems::components(&problems));
    components.responses.values_mut().for_each(add_request_id);
    let operations = document.paths.paths.values_mut().flat_map(all_operations);
    for operation in operations {
        let responses = &mut operation.responses.responses;
        responses.values_mut().for_each(add_request_id);
        let parameters = operation.parameters.iter_mut().flatten();
        parameters.for_each(parameters::forbid_null);
    }
    document
}

fn all_operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.head,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

fn add_request_id(response: &mut RefOr<Response>) {
    if let RefOr::T(response) = response {
        let header = parameters::response_header("The correlation id of the request");
        let name = "X-Request-ID".to_owned();
        response.headers.insert(name, header.into());
    }
}
