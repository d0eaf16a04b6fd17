//! The sentence of a quota that is used up.

use std::fmt;

use sqlx::PgConnection;

use super::counter::Usage;
use super::{Charge, Counter};
use crate::database::Database;
use crate::error::Error;
use crate::tenant::Client;

/// What was asked for, what is used and what may be.
#[derive(Clone, Debug)]
pub struct Exceeded {
    /// `34 bytes`.
    wanted: Vec<String>,
    /// `340 of 1000 bytes`.
    used: Vec<String>,
    advice: &'static str,
}

impl Exceeded {
    pub(super) fn new(used: &Usage, client: &Client, charge: &Charge) -> Self {
        let more = charge.amounts.iter().filter(|(_, amount)| *amount > 0);
        let of_limit = |counter: &Counter| {
            let most = (counter.limit)(client)?;
            let used = used.of(counter.name);
            Some(format!("{used} of {most} {}", counter.name))
        };
        Self {
            wanted: more
                .map(|(counter, amount)| format!("{amount} more {}", counter.name))
                .collect(),
            used: charge
                .counters
                .counters
                .iter()
                .filter_map(of_limit)
                .collect(),
            advice: charge.counters.advice,
        }
    }
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Self {
        Self::QuotaExceeded(Box::new(exceeded))
    }
}

/// Why a `charge` of `client` changed no row, read in the same transaction.
pub async fn exceeded(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    charge: Charge,
) -> Error {
    if charge.is_unlimited(client) {
        // Nothing refuses it, so a row itself must be missing.
        return Error::Database(sqlx::Error::RowNotFound);
    }
    match Usage::read(database, connection).await {
        Ok(used) => Exceeded::new(&used, client, &charge).into(),
        Err(error) => error,
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} do not fit into the quota: {} are used, {}, or have the quota raised",
            self.wanted.join(" and "),
            self.used.join(" and "),
            self.advice,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::example::{COUNTERS, client};

    fn sentence(quota: serde_json::Value) -> String {
        let used = [("documents".to_owned(), 10), ("bytes".to_owned(), 340)];
        let charge = Charge::new(&COUNTERS, &[1, 34]);
        Exceeded::new(&Usage(used.into()), &client(quota), &charge).to_string()
    }

    #[test]
    fn the_sentence_has_limit_and_use_and_says_what_to_do() {
        assert_eq!(
            sentence(serde_json::json!({"documents": 10, "bytes": 1000})),
            "1 more documents and 34 more bytes do not fit into the quota: 10 of 10 documents and 340 of 1000 bytes \
             are used, old ones included; purge some, or have the quota raised"
        );
        let one = sentence(serde_json::json!({"bytes": 350}));
        assert!(one.contains("quota: 340 of 350 bytes are used"), "{one}");
    }
}
