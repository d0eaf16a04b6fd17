//! What holds for every route that a client's key or token opens, whatever the workload.

use http::HeaderValue;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Required, Type};

use super::{API_KEY, BEARER, PUBLISHABLE_KEY, problems};

/// Problems of the layers that every such request passes, and of the database behind them.
const PROBLEMS: [u16; 7] = [400, 401, 403, 404, 429, 500, 503];

/// States the scope that a token needs for the routes in `paths`.
pub fn require_scope(paths: &mut Paths, scope: &str) {
    let operations = paths.paths.values_mut().flat_map(super::all_operations);
    for operation in operations {
        let requirement = SecurityRequirement::new(BEARER, [scope]);
        operation.security.get_or_insert_default().push(requirement);
    }
}

/// States that the routes in `paths` take a publishable key in the query.
pub fn allow_publishable_key(paths: &mut Paths) {
    let operations = paths.paths.values_mut().flat_map(super::all_operations);
    for operation in operations {
        let key = SecurityRequirement::new(PUBLISHABLE_KEY, std::iter::empty::<String>());
        operation.security.get_or_insert_default().push(key);
    }
}

/// The methods of the routes in `paths`, as the CORS protocol lists them.
pub fn methods(paths: &Paths) -> HeaderValue {
    let items = paths.paths.values();
    let methods = items.flat_map(|item| {
        [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("DELETE", &item.delete),
            ("HEAD", &item.head),
            ("PATCH", &item.patch),
        ]
    });
    let methods = methods.filter(|(_, operation)| operation.is_some());
    let methods: Vec<&str> = methods.map(|(method, _)| method).collect();
    HeaderValue::try_from(methods.join(", ")).expect("letters")
}

/// Adds what routes of clients have in common, and the `{client}` of the path.
pub fn complete_under_clients(item: &mut PathItem) {
    let client = ParameterBuilder::new()
        .name("client")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Name of the client, as the tenant's resource has it"))
        .schema(Some(name()))
        .build();
    for operation in super::all_operations(item) {
        complete(operation, client.clone());
    }
}

/// The same for routes under `prefix`, where the credential says which client it is: a name of each
/// operation that the same elsewhere does not have.
pub fn complete_at_root(item: &mut PathItem, prefix: &str) {
    let client = ParameterBuilder::new()
        .name("X-Client")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Name of the client, needed where the credential opens several or none is asked for",
        ))
        .schema(Some(name()))
        .build();
    let place = prefix.trim_matches('/').replace(['/', '-'], "_");
    for operation in super::all_operations(item) {
        complete(operation, client.clone());
        if let Some(id) = &mut operation.operation_id {
            *id = format!("{id}_at_{place}");
        }
    }
}

/// Adds the key, how the client is named, and the problems that all these routes have in common.
fn complete(operation: &mut Operation, client: Parameter) {
    // A key or, in tenants that ask for tokens, one with the route's scope.
    let key = SecurityRequirement::new(API_KEY, std::iter::empty::<String>());
    operation.security.get_or_insert_default().insert(0, key);
    let parameters = operation.parameters.get_or_insert_default();
    parameters.insert(0, client.into());
    for status in PROBLEMS {
        let shared = RefOr::Ref(problems::reference(status));
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_string()).or_insert(shared);
    }
}

/// As the rules of the custom resource have it.
fn name() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))
        .max_length(Some(63))
        .build()
}
