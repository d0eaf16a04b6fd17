//! Which versions of a document a list shows: the query of its URL.

use docket_platform::error::Error;
use docket_platform::paging::query::{self, DEFAULT_LIMIT, bad};

/// A query that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VersionPage {
    /// Versions on the page, 1 to 100.
    pub(super) limit: u32,
    /// All are older than this.
    pub(super) before: i64,
}

/// Before the first version there is nothing.
const FIRST: i64 = 1;

impl VersionPage {
    /// # Errors
    /// [`Error::BadRequest`] that names a parameter which is unknown, given twice or makes no sense.
    pub(super) fn parse(query: &str) -> Result<Self, Error> {
        let (mut limit, mut before) = (DEFAULT_LIMIT, i64::MAX);
        query::each(query, |name, value| {
            match name {
                "limit" => limit = query::limit(name, value)?,
                "cursor" => before = query::cursor(name, value, older_than)?,
                _ => return Err(bad(name, "is unknown")),
            }
            Ok(())
        })?;
        Ok(Self { limit, before })
    }
}

fn older_than(cursor: &str) -> Option<i64> {
    let version = cursor.parse::<i32>().ok().map(i64::from);
    let digits = cursor.bytes().all(|byte| byte.is_ascii_digit());
    version.filter(|version| digits && *version > FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_query_shows_the_newest_fifty() {
        let page = VersionPage::parse("").expect("a page");
        assert_eq!((page.limit, page.before), (50, i64::MAX));
        let page = VersionPage::parse("limit=2&cursor=7").expect("a page");
        assert_eq!((page.limit, page.before), (2, 7));
    }

    #[test]
    fn a_parameter_that_makes_no_sense_is_named() {
        let queries = [
            ("limit=0", "limit"),
            ("limit=5&limit=5", "limit"),
            ("cursor=1", "cursor"),
            ("cursor=-5", "cursor"),
            ("cursor=%2B5", "cursor"),
            ("cursor=2147483648", "cursor"),
            ("cursor=", "cursor"),
            ("type=text/plain", "type"),
        ];
        query::assert_each_is_named(VersionPage::parse, &queries);
    }
}
