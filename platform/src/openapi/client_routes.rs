//! What holds for every route that a client's key or token opens, whatever the workload.

use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Required, Type};

use super::{API_KEY, BEARER, problems};

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

/// The scopes that `requirement` asks of a token, if it asks for one.
pub(super) fn scopes(requirement: &SecurityRequirement) -> Vec<String> {
    let asked = serde_json::to_value(requirement).unwrap_or_default();
    let scopes = asked[BEARER].as_array().into_iter().flatten();
    scopes
        .filter_map(|scope| scope.as_str().map(str::to_owned))
        .collect()
}

/// Adds the key, `{client}` and the problems that all these routes have in common.
pub(super) fn complete(operation: &mut Operation) {
    // A key or, in tenants that ask for tokens, one with the route's scope.
    let key = SecurityRequirement::new(API_KEY, std::iter::empty::<String>());
    operation.security.get_or_insert_default().insert(0, key);
    let client = ParameterBuilder::new()
        .name("client")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Name of the client, as the tenant's resource has it"))
        .schema(Some(name()))
        .build();
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
