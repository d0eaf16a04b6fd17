//! The paths that callers outside the cluster may use. `/metrics` and what probes ask for are not
//! among them, and nothing of the data store, which has a port of its own.

use crate::validated_tenant::ValidatedTenant;

/// A path, and whether what is below it belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublicPath {
    Exact(&'static str),
    Prefix(&'static str),
}

/// Those of every tenant, and where its workloads have routes of their own.
pub(super) fn public_paths(wanted: &ValidatedTenant) -> impl Iterator<Item = PublicPath> {
    let own = wanted.workloads.root_prefixes.iter();
    let own = own.map(|prefix| PublicPath::Prefix(prefix));
    PUBLIC.into_iter().chain(own)
}

const PUBLIC: [PublicPath; 4] = [
    PublicPath::Prefix("/clients"),
    PublicPath::Prefix("/docs"),
    PublicPath::Exact("/health"),
    PublicPath::Exact("/openapi.json"),
];
