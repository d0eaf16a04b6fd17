//! Whether the quota leaves room for a body, before any of it is read.

use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use docket_platform::usage;
use http::{HeaderMap, header};

use super::ENVELOPE;
use super::counters::charge;

/// Refuses a body whose announced size, or whose `documents`, the quota of `client` cannot take.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub(super) async fn check_quota(
    database: &Database,
    client: &Client,
    headers: &HeaderMap,
    documents: i64,
) -> Result<(), Error> {
    let bytes = at_least(headers);
    usage::check_quota(database, client, &charge(documents, bytes)).await
}

/// The least that a body of the announced size stores; 0 where none is announced.
fn at_least(headers: &HeaderMap) -> i64 {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    let bytes = announced.unwrap_or(0).saturating_sub(ENVELOPE);
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
