//! The versions of a client's schema, oldest first. See `migrations/README.md` for how to add one.

use crate::quote::{identifier, literal};

/// One step from a version to the next.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version that the schema has afterwards; versions count from 1 without a gap.
    pub version: i32,
    /// What it brings, as in its file's name.
    pub name: &'static str,
    /// Its statements, run with the client's schema as the `search_path`.
    pub sql: &'static str,
}

/// All migrations.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "document_metadata",
        sql: include_str!("../migrations/0001_document_metadata.sql"),
    },
    Migration {
        version: 2,
        name: "document_listing",
        sql: include_str!("../migrations/0002_document_listing.sql"),
    },
    Migration {
        version: 3,
        name: "document_lifecycle",
        sql: include_str!("../migrations/0003_document_lifecycle.sql"),
    },
];

/// The version that this build brings every schema to; its API server also serves the next one.
pub const LATEST_VERSION: i32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Table in each client's schema that says which migrations it has had.
pub const MIGRATIONS_TABLE: &str = "schema_migrations";

/// Query for the versions of `schemas`, all of which exist: rows of `(schema text, version int)`.
///
/// `None` when there is nothing to ask.
#[must_use]
pub fn read_versions(schemas: &[&str]) -> Option<String> {
    let queries: Vec<String> = schemas
        .iter()
        .map(|schema| {
            format!(
                "SELECT {}::text AS schema, coalesce(max(version), 0) AS version FROM {}.{MIGRATIONS_TABLE}",
                literal(schema),
                identifier(schema),
            )
        })
        .collect();
    (!queries.is_empty()).then(|| queries.join(" UNION ALL "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one_without_a_gap() {
        let versions: Vec<i32> = MIGRATIONS.iter().map(|m| m.version).collect();
        let expected: Vec<i32> = (1..=LATEST_VERSION).collect();
        assert_eq!(versions, expected);
    }

    #[test]
    fn all_versions_are_read_with_one_query() {
        assert_eq!(read_versions(&[]), None);
        insta::assert_snapshot!(read_versions(&["a_b_1", "a_c_2"]).expect("a query"));
    }
}
