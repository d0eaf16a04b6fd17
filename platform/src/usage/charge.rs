//! Adding to what a client uses, if its quota allows it.

use docket_contract::Quota;
use sqlx::PgConnection;

use super::{TABLE, exceeded};
use crate::database::{ArgumentList, Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// Where all of a client with a quota is counted, one change after the other.
const FIRST: i16 = 0;
/// Over as many rows the changes of any other client spread, so that they do not wait for each
/// other's commit.
const SLOTS: i16 = 16;

/// One row when the quota allows it, else none. The values are those of [`Charge::values`].
///
/// While it waits for another change of the same row, Postgres looks at that row anew, but not at the
/// others. They hold still: with a quota, only the first is written.
#[macro_export]
macro_rules! charge_sql {
    ($slot:literal, $documents:literal, $bytes:literal, $most_documents:literal, $most_bytes:literal) => {
        concat!(
            "UPDATE client_usage AS own \
             SET documents = own.documents + ",
            $documents,
            ", bytes = own.bytes + ",
            $bytes,
            " \
             WHERE own.slot = ",
            $slot,
            " \
             AND (",
            $documents,
            " <= 0 OR ",
            $most_documents,
            " IS NULL \
               OR own.documents + ",
            $documents,
            " + (SELECT coalesce(sum(documents), 0) \
                 FROM client_usage WHERE slot <> ",
            $slot,
            ") <= ",
            $most_documents,
            ") \
             AND (",
            $bytes,
            " <= 0 OR ",
            $most_bytes,
            " IS NULL \
               OR own.bytes + ",
            $bytes,
            " + (SELECT coalesce(sum(bytes), 0) \
                 FROM client_usage WHERE slot <> ",
            $slot,
            ") <= ",
            $most_bytes,
            ") \
             RETURNING own.slot",
        )
    };
}
pub use charge_sql;

const CHARGE: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: charge_sql!("$1", "$2", "$3", "$4", "$5"),
};

/// What a change adds to the use of a client; less than nothing for what it takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// How many.
    pub documents: i64,
    /// Of their contents.
    pub bytes: i64,
}

impl Charge {
    /// The five values of `charge_sql!`: slot, documents, bytes, most documents, most bytes.
    pub fn values(self, list: ArgumentList, quota: Quota) -> Result<ArgumentList, Error> {
        let limited = quota != Quota::default();
        let slot = if limited {
            FIRST
        } else {
            rand::random_range(0..SLOTS)
        };
        list.with(slot)?
            .with(self.documents)?
            .with(self.bytes)?
            .with(quota.documents.map(bounded))?
            .with(quota.bytes.map(bounded))
    }
}

/// Adds `charge` to what `client` uses, in the transaction that `connection` is in; best as its last
/// statement, as others wait for the row until the commit.
///
/// # Errors
/// [`Error::QuotaExceeded`]; what takes away or adds nothing is always allowed.
pub async fn charge(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    charge: Charge,
) -> Result<(), Error> {
    let arguments = charge.values(arguments(), client.quota())?.end();
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
