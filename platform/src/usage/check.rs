//! Whether a quota leaves room, before anything is stored.

use super::counter::Usage;
use super::{Charge, Exceeded};
use crate::database::Database;
use crate::error::Error;
use crate::tenant::Client;

/// Refuses early what would be refused in the end; asks nothing when `client` has no quota.
///
/// # Errors
/// [`Error::QuotaExceeded`].
pub async fn check_quota(
    database: &Database,
    client: &Client,
    charge: &Charge,
) -> Result<(), Error> {
    if charge.is_unlimited(client) {
        return Ok(());
    }
    let work = async {
        let mut connection = database.connection(client).await?;
        let used = Usage::read(database, connection.as_mut()).await?;
        match allows(&used, charge, client) {
            true => Ok(()),
            false => Err(Exceeded::new(&used, client, charge).into()),
        }
    };
    database.within_deadline(work).await
}

/// Whether `charge` fits beside what is `used` into the quota of `client`.
fn allows(used: &Usage, charge: &Charge, client: &Client) -> bool {
    let mut amounts = charge.amounts.iter();
    amounts.all(|(counter, added)| fits(used.of(counter.name), *added, (counter.limit)(client)))
}

fn fits(used: i64, added: i64, most: Option<u64>) -> bool {
    let sum = i128::from(used) + i128::from(added);
    added <= 0 || most.is_none_or(|most| sum <= i128::from(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::example::{COUNTERS, client};
    use proptest::prelude::*;

    #[test]
    fn the_last_that_fits_is_the_one_that_fills_it() {
        let client = client(serde_json::json!({"documents": 10, "bytes": 100}));
        let used = Usage([("documents".to_owned(), 9), ("bytes".to_owned(), 90)].into());
        let allows = |amounts: [i64; 2]| allows(&used, &Charge::new(&COUNTERS, &amounts), &client);
        assert!(allows([1, 10]));
        assert!(!allows([1, 11]));
        assert!(!allows([2, 0]));
    }

    proptest! {
        #[test]
        fn what_adds_nothing_fits_into_any_quota(used: i64, added in i64::MIN..=0, most: u64) {
            prop_assert!(fits(used, added, Some(most)));
        }

        #[test]
        fn without_a_limit_everything_fits(used: i64, added: i64) {
            prop_assert!(fits(used, added, None));
        }
    }
}
