//! The sentence of a quota that is used up.

use std::fmt;

use docket_contract::Quota;
use sqlx::PgConnection;

use super::{Charge, Usage};
use crate::database::Database;
use crate::error::Error;
use crate::tenant::Client;

/// What was asked for, what is used and what may be.
#[derive(Clone, Copy, Debug)]
pub struct Exceeded {
    used: Usage,
    quota: Quota,
    wanted: Charge,
}

impl Exceeded {
    pub(super) const fn new(used: Usage, quota: Quota, wanted: Charge) -> Self {
        Self {
            used,
            quota,
            wanted,
        }
    }
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Self {
        Self::QuotaExceeded(exceeded)
    }
}

/// Why a `charge` of `client` changed no row, read in the same transaction.
pub async fn exceeded(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    charge: Charge,
) -> Error {
    if client.quota() == Quota::default() {
        // Nothing refuses it, so the row itself must be missing.
        return Error::Database(sqlx::Error::RowNotFound);
    }
    match Usage::read(database, connection).await {
        Ok(used) => Exceeded::new(used, client.quota(), charge).into(),
        Err(error) => error,
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (used, quota) = (self.used, self.quota);
        let documents = quota
            .documents
            .map(|most| format!("{} of {most} documents", used.documents));
        let bytes = quota
            .bytes
            .map(|most| format!("{} of {most} bytes", used.bytes));
        let both: Vec<String> = documents.into_iter().chain(bytes).collect();
        write!(
            f,
            "{} more bytes do not fit into the quota: {} are used, trash and old versions \
             included; purge what is no longer needed, or have the quota raised",
            self.wanted.bytes,
            both.join(" and "),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(documents: Option<u64>, bytes: Option<u64>) -> String {
        let used = Usage {
            documents: 10,
            bytes: 340,
        };
        let wanted = Charge {
            documents: 1,
            bytes: 34,
        };
        Exceeded::new(used, Quota { documents, bytes }, wanted).to_string()
    }

    #[test]
    fn the_sentence_has_limit_and_use_and_says_what_to_do() {
        assert_eq!(
            sentence(Some(10), Some(1000)),
            "34 more bytes do not fit into the quota: 10 of 10 documents and 340 of 1000 bytes are \
             used, trash and old versions included; purge what is no longer needed, or have the \
             quota raised"
        );
        assert!(sentence(Some(10), None).contains("quota: 10 of 10 documents are used"));
        assert!(sentence(None, Some(350)).contains("quota: 340 of 350 bytes are used"));
    }
}
