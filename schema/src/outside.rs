//! A migration outside of transactions, for what takes long or holds up those who use a table. A crash may
//! come between any two of its statements: it begins with what the last attempt left.

use crate::Identity;
use crate::applied::{Outside, insert};
use crate::lock::migration;
use crate::quote::{identifier, literal};

impl Outside {
    /// Makes the lock that keeps others from the migrations of `identity`.
    #[must_use]
    pub fn make_lock(identity: &Identity) -> String {
        format!(
            "INSERT INTO docket.locks (name) VALUES ({}) ON CONFLICT (name) DO NOTHING",
            literal(&migration(identity))
        )
    }

    /// Takes that lock until the transaction ends: a row, and none while somebody else has it. It waits for
    /// nobody: an index that is made concurrently would wait for those who wait for it.
    #[must_use]
    pub fn try_lock(identity: &Identity) -> String {
        format!(
            "SELECT name FROM docket.locks WHERE name = {} FOR UPDATE SKIP LOCKED",
            literal(&migration(identity))
        )
    }

    /// What the session that holds the lock is told first: it may hold it for as long as that takes. Servers
    /// before 17 know no limit of whole transactions.
    pub const HOLD: &str = "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings \
                            WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')";

    /// What a session is told first: the migration may take as long as it takes.
    #[must_use]
    pub fn settings(identity: &Identity) -> String {
        format!(
            "SET search_path = {}; SET lock_timeout = 0; SET statement_timeout = 0",
            identifier(&identity.schema)
        )
    }

    /// The migration, to be sent by itself: several statements in one message are a transaction.
    #[must_use]
    pub fn sql(self) -> &'static str {
        self.migration.sql
    }

    /// Notes that it was done.
    #[must_use]
    pub fn record(self) -> String {
        insert(self.workload, self.migration)
    }

    /// Whether an attempt left an index that is not valid: rows of its `name`.
    #[must_use]
    pub fn find_invalid(self, identity: &Identity) -> Option<String> {
        let index = self.migration.index()?;
        Some(format!(
            "SELECT part.relname::text AS name FROM pg_catalog.pg_index AS index \
             JOIN pg_catalog.pg_class AS part ON part.oid = index.indexrelid \
             JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = part.relnamespace \
             WHERE namespace.nspname = {} AND part.relname = {} AND NOT index.indisvalid",
            literal(&identity.schema),
            literal(index),
        ))
    }

    /// Takes away what [`find_invalid`](Self::find_invalid) found; it runs outside of transactions as well.
    #[must_use]
    pub fn drop_invalid(self, identity: &Identity) -> Option<String> {
        let index = self.migration.index()?;
        Some(format!(
            "DROP INDEX CONCURRENTLY IF EXISTS {}.{}",
            identifier(&identity.schema),
            identifier(index),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Applied, workload};

    #[test]
    fn its_statements_begin_with_what_the_last_attempt_left() {
        let mut before = Applied::all(&[]);
        let documents = workload("documents").expect("documents");
        before.add("documents", 1, documents.migrations[0].checksum());
        let outside = before.outside(&["documents"]).expect("a migration");
        let identity = Identity::of("acme", "acme", "globex");
        let mut statements = vec![
            Outside::make_lock(&identity),
            Outside::HOLD.to_owned(),
            Outside::try_lock(&identity),
            Outside::settings(&identity),
        ];
        statements.extend(outside.find_invalid(&identity));
        statements.extend(outside.drop_invalid(&identity));
        statements.extend([outside.sql().to_owned(), outside.record()]);
        insta::assert_snapshot!(statements.join("\n---\n"));
    }
}
