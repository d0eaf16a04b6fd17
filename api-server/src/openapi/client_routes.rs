//! What holds for every route that a client's key opens, whatever the workload.

use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Required, Type};

use super::{API_KEY, problems};

/// Problems of the layers that every such request passes, and of the database behind them.
const PROBLEMS: [u16; 7] = [400, 401, 403, 404, 429, 500, 503];

/// Adds the key, `{client}` and the problems that all these routes have in common.
pub(super) fn complete(operation: &mut Operation) {
    operation.security = Some(vec![SecurityRequirement::new(
        API_KEY,
        std::iter::empty::<String>(),
    )]);
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
