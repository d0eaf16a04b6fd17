//! Adding to what a client uses, if its quota allows it.

use sqlx::PgConnection;

use super::{Counter, Counters, TABLE, exceeded};
use crate::database::{ArgumentList, Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// Where all of a client with a quota is counted, one change after the other.
const FIRST: i16 = 0;
/// Over as many rows the changes of any other client spread, so that they do not wait for each
/// other's commit.
const SLOTS: i16 = 16;

/// The parts of a `WITH` that end in `charged`, which has a row for each counter when the quota allows all of
/// them, else none. The values are those of [`Charge::values`].
///
/// The rows of a slot are locked in the order of their names, so that nobody waits for each other; whoever
/// waited finds them as they are by then. The other slots hold still: with a quota, only the first is written.
#[macro_export]
macro_rules! charge_sql {
    ($slot:literal, $counters:literal, $amounts:literal, $limits:literal) => {
        concat!(
            "held AS (\
               SELECT counter, amount FROM usage WHERE slot = ",
            $slot,
            " AND counter = ANY (",
            $counters,
            "::text[]) ORDER BY counter FOR NO KEY UPDATE\
             ), wanted AS (\
               SELECT * FROM unnest(",
            $counters,
            "::text[], ",
            $amounts,
            "::bigint[], ",
            $limits,
            "::bigint[]) AS wanted (counter, added, most)\
             ), allowed AS MATERIALIZED (\
               SELECT count(*) FROM held JOIN wanted USING (counter) \
               HAVING count(*) = cardinality(",
            $counters,
            "::text[]) AND bool_and(added <= 0 OR most IS NULL \
                 OR amount + added + (SELECT coalesce(sum(other.amount), 0) FROM usage AS other \
                   WHERE other.counter = held.counter AND other.slot <> ",
            $slot,
            ") <= most)\
             ), charged AS (\
               UPDATE usage AS own SET amount = own.amount + wanted.added FROM wanted, allowed \
               WHERE own.slot = ",
            $slot,
            " AND own.counter = wanted.counter RETURNING own.counter\
             )",
        )
    };
}
pub use charge_sql;

const CHARGE: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: concat!(
        "WITH ",
        charge_sql!("$1", "$2", "$3", "$4"),
        " SELECT FROM charged"
    ),
};

/// What a change adds to the use of a client; less than nothing for what it takes away.
#[derive(Clone, Debug)]
pub struct Charge {
    pub(super) counters: &'static Counters,
    pub(super) amounts: Vec<(&'static Counter, i64)>,
}

impl Charge {
    /// So much of each of `counters`, in their order.
    pub fn new(counters: &'static Counters, amounts: &[i64]) -> Self {
        let each = counters.counters.iter().zip(amounts.iter().copied());
        Self {
            counters,
            amounts: each.filter(|(_, amount)| *amount != 0).collect(),
        }
    }

    /// Whether `client` may have any amount of all that is counted.
    pub(super) fn is_unlimited(&self, client: &Client) -> bool {
        let mut counters = self.counters.counters.iter();
        counters.all(|counter| (counter.limit)(client).is_none())
    }

    /// The four values of `charge_sql!`: slot, counters, amounts, limits.
    pub fn values(&self, list: ArgumentList, client: &Client) -> Result<ArgumentList, Error> {
        let slot = match self.is_unlimited(client) {
            true => rand::random_range(0..SLOTS),
            false => FIRST,
        };
        let amounts = || self.amounts.iter();
        let names: Vec<&str> = amounts().map(|(counter, _)| counter.name).collect();
        let added: Vec<i64> = amounts().map(|(_, amount)| *amount).collect();
        let limit = |counter: &Counter| (counter.limit)(client).map(bounded);
        let limits: Vec<Option<i64>> = amounts().map(|(counter, _)| limit(counter)).collect();
        list.with(slot)?.with(names)?.with(added)?.with(limits)
    }
}

/// Adds `charge` to what `client` uses, in the transaction that `connection` is in; best as its last
/// statement, as others wait for the rows until the commit.
///
/// # Errors
/// [`Error::QuotaExceeded`]; what takes away or adds nothing is always allowed.
pub async fn charge(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    charge: Charge,
) -> Result<(), Error> {
    if charge.amounts.is_empty() {
        return Ok(());
    }
    let arguments = charge.values(arguments(), client)?.end();
    let row = CHARGE
        .fetch_optional(database, connection, arguments)
        .await?;
    match row {
        Some(_) => Ok(()),
        None => Err(exceeded(database, connection, client, charge).await),
    }
}

fn bounded(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
