//! What the API server of a tenant calls itself: `service.name` of its telemetry, `service` in `/health`, and
//! the name of its sessions in Postgres.

/// A tenant that runs documents and nothing else: that is what the service is.
pub const DOCUMENT_API: &str = "document-api";

/// Any other: no workload lends its name to those beside it.
pub const DOCKET_API: &str = "docket-api";

/// The name of a server of `workloads` (ADR 0032).
#[must_use]
pub fn service_name<'a>(workloads: impl IntoIterator<Item = &'a str>) -> &'static str {
    let mut workloads = workloads.into_iter();
    match (workloads.next(), workloads.next()) {
        (Some("documents"), None) => DOCUMENT_API,
        _ => DOCKET_API,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_called_after_documents_only_where_there_is_nothing_else() {
        for (workloads, name) in [
            (&["documents"][..], "document-api"),
            (&["documents", "orders"], "docket-api"),
            (&["orders", "documents"], "docket-api"),
            (&["orders"], "docket-api"),
            (&[], "docket-api"),
        ] {
            assert_eq!(
                service_name(workloads.iter().copied()),
                name,
                "{workloads:?}"
            );
        }
    }
}
