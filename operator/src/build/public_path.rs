//! The paths that callers outside the cluster may use. `/metrics` and what probes ask for are not
//! among them, and nothing of the data store, which has a port of its own.

/// A path, and whether what is below it belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublicPath {
    Exact(&'static str),
    Prefix(&'static str),
}

pub(super) const PUBLIC: [PublicPath; 4] = [
    PublicPath::Prefix("/clients"),
    PublicPath::Prefix("/docs"),
    PublicPath::Exact("/health"),
    PublicPath::Exact("/openapi.json"),
];
