//! How much a client stores.

use docket_platform::database::Statement;
use docket_platform::usage::{Charge, Counter, Counters};

use super::TABLE;

/// Documents, and the bytes of all their contents.
pub static COUNTERS: Counters = Counters {
    counters: &[
        Counter {
            name: "documents",
            limit: |client| client.limits().documents.quota.documents,
        },
        Counter {
            name: "bytes",
            limit: |client| client.limits().documents.quota.bytes,
        },
    ],
    stored: Statement {
        operation: "SELECT",
        table: TABLE,
        sql: "SELECT count(*) FILTER (WHERE present) AS documents, \
                coalesce(sum(file_size), 0)::bigint AS bytes \
              FROM (SELECT file_size, true AS present FROM document_metadata \
                UNION ALL SELECT file_size, false FROM document_versions) AS content",
    },
    advice: "trash and old versions included; purge what is no longer needed",
};

/// So many documents, and bytes of their contents.
pub(super) fn charge(documents: i64, bytes: i64) -> Charge {
    Charge::new(&COUNTERS, &[documents, bytes])
}
