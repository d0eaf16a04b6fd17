//! Open files: each connection is one, and so is each way to Postgres, to a store and to a file.

/// Those that are not connections of callers.
const OTHERS: u64 = 256;

/// Asks for as many as the process may have: runtimes of containers begin with 1,024.
pub(crate) fn raise() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "open files"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

/// Connections of callers that there are files for.
pub(crate) fn for_connections() -> usize {
    let limit = rlimit::getrlimit(rlimit::Resource::NOFILE);
    let files = limit.map_or(u64::MAX, |(soft, _)| {
        soft.saturating_sub(OTHERS).max(soft / 2)
    });
    usize::try_from(files).unwrap_or(usize::MAX)
}
