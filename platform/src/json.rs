//! Bodies of requests that are JSON.

/// Largest one, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
