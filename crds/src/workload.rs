//! What a tenant can run for its clients, by name.

/// One of the workloads: each has a field in `spec.workloads`, a crate in `workloads/`, and a line here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Documents: uploads, reading, search.
    Documents,
}

impl Workload {
    /// All there are.
    pub const ALL: [Self; 1] = [Self::Documents];

    /// As specs, routes' labels and the API server call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
        }
    }
}
