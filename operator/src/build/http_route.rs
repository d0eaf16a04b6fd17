//! The HTTPRoute: the public paths, through Gateways.

use docket_crds::HttpRoute as Asked;
use docket_crds::names::api_name;

use super::metadata::metadata;
use super::public_path::{PublicPath, public_paths};
use super::service;
use crate::foreign::gateway_api::{
    Backend, HttpRoute, HttpRouteSpec, Match, Parent, PathMatch, Rule,
};
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant, asked: &Asked) -> HttpRoute {
    let name = api_name(&wanted.name);
    let parents = asked.parent_refs.iter().map(|parent| Parent {
        name: parent.name.clone(),
        namespace: parent.namespace.clone(),
        section_name: parent.section_name.clone(),
        port: parent.port,
    });
    HttpRoute {
        metadata: metadata(wanted, name.clone()),
        spec: HttpRouteSpec {
            parent_refs: parents.collect(),
            hostnames: asked.hostnames.clone(),
            rules: vec![Rule {
                matches: public_paths(wanted).map(matching).collect(),
                backend_refs: vec![Backend {
                    name,
                    port: service::public_port(wanted),
                }],
            }],
        },
    }
}

fn matching(public: PublicPath) -> Match {
    let (type_, value) = match public {
        PublicPath::Exact(path) => ("Exact", path),
        PublicPath::Prefix(path) => ("PathPrefix", path),
    };
    Match {
        path: PathMatch {
            type_: type_.into(),
            value: value.into(),
        },
    }
}
