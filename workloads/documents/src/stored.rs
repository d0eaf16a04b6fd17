//! How much a client stores.

use docket_platform::database::Statement;

use super::TABLE;

/// Documents, and the bytes of all their contents.
pub const STORED: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT count(*) FILTER (WHERE present) AS documents, \
            coalesce(sum(file_size), 0)::bigint AS bytes \
          FROM (SELECT file_size, true AS present FROM document_metadata \
            UNION ALL SELECT file_size, false FROM document_versions) AS content",
};
