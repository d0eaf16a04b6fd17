//! What a client uses now.

use docket_contract::Quota;
use sqlx::{PgConnection, Row as _};

use super::{Charge, Exceeded, TABLE};
use crate::database::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

const READ: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT coalesce(sum(documents), 0)::bigint AS documents, \
          coalesce(sum(bytes), 0)::bigint AS bytes FROM client_usage",
};

/// What a client stores, trash and old versions included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many.
    pub documents: i64,
    /// Of all their contents.
    pub bytes: i64,
}

impl Usage {
    pub(super) async fn read(
        database: &Database,
        connection: &mut PgConnection,
    ) -> Result<Self, Error> {
        let row = READ
            .fetch_optional(database, connection, arguments().end())
            .await?;
        let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        Ok(Self {
            documents: row.try_get("documents")?,
            bytes: row.try_get("bytes")?,
        })
    }

    /// Whether `charge` fits beside it into `quota`.
    fn allows(self, charge: Charge, quota: Quota) -> bool {
        fits(self.documents, charge.documents, quota.documents)
            && fits(self.bytes, charge.bytes, quota.bytes)
    }
}

fn fits(used: i64, added: i64, most: Option<u64>) -> bool {
    let sum = i128::from(used) + i128::from(added);
    added <= 0 || most.is_none_or(|most| sum <= i128::from(most))
}

/// Refuses early what would be refused in the end; asks nothing when `client` has no quota.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub async fn check_quota(
    database: &Database,
    client: &Client,
    charge: Charge,
) -> Result<(), Error> {
    if client.quota() == Quota::default() {
        return Ok(());
    }
    let work = async {
        let mut connection = database.connection(client).await?;
        let used = Usage::read(database, connection.as_mut()).await?;
        match used.allows(charge, client.quota()) {
            true => Ok(()),
            false => Err(Exceeded::new(used, client.quota(), charge).into()),
        }
    };
    database.within_deadline(work).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USED: Usage = Usage {
        documents: 9,
        bytes: 90,
    };

    fn charge(documents: i64, bytes: i64) -> Charge {
        Charge { documents, bytes }
    }

    #[test]
    fn the_last_that_fits_is_the_one_that_fills_it() {
        let quota = Quota {
            documents: Some(10),
            bytes: Some(100),
        };
        assert!(USED.allows(charge(1, 10), quota));
        assert!(!USED.allows(charge(1, 11), quota));
        assert!(!USED.allows(charge(2, 0), quota));
    }

    proptest! {
        #[test]
        fn what_adds_nothing_fits_into_any_quota(documents in i64::MIN..=0, bytes in i64::MIN..=0, most: u64) {
            let quota = Quota { documents: Some(most), bytes: Some(most) };
            prop_assert!(USED.allows(charge(documents, bytes), quota));
        }

        #[test]
        fn without_a_limit_everything_fits(documents: i64, bytes: i64) {
            prop_assert!(USED.allows(charge(documents, bytes), Quota::default()));
        }
    }
}
