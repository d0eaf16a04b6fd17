//! What a workload counts of what a client stores.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row as _};

use super::TABLE;
use crate::database::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// Something that is counted.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// As the table of usage has it, and the quota; of one workload only.
    pub name: &'static str,
    /// How much of it a client may have, now.
    pub limit: fn(&Client) -> Option<u64>,
}

/// All that one workload counts; its migrations make the rows.
#[derive(Debug)]
pub struct Counters {
    /// In the order of a [`Charge`](super::Charge).
    pub counters: &'static [Counter],
    /// Counts anew what is stored: one row with a column for each counter.
    pub stored: Statement,
    /// What of it one may forget, and how to free it: the second half of a sentence.
    pub advice: &'static str,
}

impl Counters {
    /// Names of the counters.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.counters.iter().map(|counter| counter.name)
    }
}

const READ: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT counter, sum(amount)::bigint AS amount FROM usage GROUP BY counter",
};

/// What a client stores, by counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage(pub(super) BTreeMap<String, i64>);

impl Usage {
    pub(super) async fn read(
        database: &Database,
        connection: &mut PgConnection,
    ) -> Result<Self, Error> {
        let rows = READ
            .fetch_all(database, connection, arguments().end())
            .await?;
        let amounts = rows
            .iter()
            .map(|row| Ok((row.try_get("counter")?, row.try_get("amount")?)));
        Ok(Self(amounts.collect::<Result<_, sqlx::Error>>()?))
    }

    pub(super) fn of(&self, counter: &str) -> i64 {
        self.0.get(counter).copied().unwrap_or_default()
    }
}
