//! The paths that callers outside the cluster may use. `/metrics` and what probes ask for are not
//! among them, and nothing of the data store, which has a port of its own.

use crate::validated_tenant::ValidatedTenant;

/// A path, and whether what is below it belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublicPath {
    Exact(&'static str),
    Prefix(&'static str),
}

const PUBLIC: [PublicPath; 4] = [
    PublicPath::Prefix("/clients"),
    PublicPath::Prefix("/docs"),
    PublicPath::Exact("/health"),
    PublicPath::Exact("/openapi.json"),
];

/// Those of a tenant that issues tokens: where it says so, and where it does.
const OF_ISSUER: [PublicPath; 2] = [
    PublicPath::Prefix("/.well-known"),
    PublicPath::Exact("/oauth2/token"),
];

/// The paths of the tenant `wanted`; its workloads may have routes of their own.
pub(super) fn public(wanted: &ValidatedTenant) -> impl Iterator<Item = PublicPath> {
    let of_issuer = wanted.issuer.iter().flat_map(|_| OF_ISSUER);
    let roots = wanted.workloads.root_prefixes.iter();
    let of_workloads = roots.map(|prefix| PublicPath::Prefix(prefix));
    PUBLIC.into_iter().chain(of_issuer).chain(of_workloads)
}
