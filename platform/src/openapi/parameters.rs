//! Parameters and headers that several routes have.

use utoipa::IntoParams;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Required, Schema, Type};

/// In `params(…)` of a route: `If-Match` and `If-None-Match`.
pub struct Preconditions;

impl IntoParams for Preconditions {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [
            ("If-Match", "Answer only if it is this version, else 412"),
            (
                "If-None-Match",
                "Answer only if it is another version, else 304",
            ),
        ]
        .map(|(name, description)| request_header(name, description))
        .into()
    }
}

/// In `params(…)` of a route that answers parts: `Range` and `If-Range`.
pub struct Ranges;

impl IntoParams for Ranges {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [
            (
                "Range",
                "Up to eight parts such as `bytes=0-99`; one that makes no sense is ignored",
            ),
            (
                "If-Range",
                "`Range` counts only if the content is this version",
            ),
        ]
        .map(|(name, description)| request_header(name, description))
        .into()
    }
}

/// A parameter is there or it is not: what `Option` means in a body does not hold for it.
pub(super) fn forbid_null(parameter: &mut RefOr<Parameter>) {
    if let RefOr::T(parameter) = parameter
        && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|one| *one != Type::Null);
        if let [only] = &types[..] {
            object.schema_type = SchemaType::Type(only.clone());
        }
    }
}

fn request_header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(text()))
        .build()
}

/// Any text.
pub fn response_header(description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(text()))
        .description(Some(description))
        .build()
}

fn text() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}
