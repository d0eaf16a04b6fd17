//! Which documents a list shows, and how many at once: the query of its URL.

use docket_platform::error::Error;
use docket_platform::paging::query::{self, DEFAULT_LIMIT, bad};
use docket_platform::paging::{BEGINNING_OF_TIME, Cursor};
use jiff::Timestamp;

use super::tags::tag;
use super::{FileType, Query, SearchCursor};

const LONGEST_NAME: usize = 255;

/// The documents that are shown; each member lets everything through until it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only those uploaded later.
    pub(crate) after: Timestamp,
    /// Only those uploaded earlier.
    pub(crate) before: Timestamp,
    /// A pattern of LIKE for the media type in lower case, without parameters.
    pub(crate) type_pattern: String,
    /// A part of the name, in any case.
    pub(crate) name: String,
    /// Only those that have it.
    pub(crate) tag: Option<String>,
}

/// A query that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) filter: Filter,
    pub(crate) order: Order,
    /// Documents on the page, 1 to 100.
    pub(crate) limit: u32,
}

/// Which document comes first, and where the page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Newest(Cursor),
    /// Only those in the trash.
    LastDeleted(Cursor),
    /// Only those that the query finds.
    Best(Query, SearchCursor),
}

impl Default for Page {
    fn default() -> Self {
        Self {
            filter: Filter {
                after: BEGINNING_OF_TIME,
                before: Cursor::START.timestamp,
                type_pattern: "%".into(),
                name: String::new(),
                tag: None,
            },
            order: Order::Newest(Cursor::START),
            limit: DEFAULT_LIMIT,
        }
    }
}

impl Page {
    /// # Errors
    /// [`Error::BadRequest`] that names a parameter which is unknown, given twice or makes no sense.
    pub(crate) fn parse(query: &str) -> Result<Self, Error> {
        let mut page = Self::default();
        let (mut asked, mut cursor, mut deleted) = (None, None, false);
        query::each(query, |name, value| {
            match name {
                "q" => asked = Some(query_of(value)?),
                "cursor" => cursor = Some(value.to_owned()),
                "deleted" => deleted = truth(name, value)?,
                _ => page.set(name, value)?,
            }
            Ok(())
        })?;
        if asked.is_some() && deleted {
            return Err(bad("q", "does not go with deleted=true"));
        }
        page.order = order(asked, deleted, cursor.as_deref())?;
        Ok(page)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let or_bad = |expected: &str| bad(name, expected);
        match name {
            "limit" => self.limit = query::limit(name, value)?,
            "type" => {
                self.filter.type_pattern = type_pattern(value)
                    .ok_or_else(|| or_bad("must be a media type, such as text/plain or image/*"))?;
            }
            "name" => {
                let sane = (1..=LONGEST_NAME).contains(&value.chars().count())
                    && !value.contains(char::is_control);
                self.filter.name = sane
                    .then(|| value.to_owned())
                    .ok_or_else(|| or_bad("must have 1 to 255 characters, none a control one"))?;
            }
            "tag" => {
                let tag = tag(value)
                    .ok_or_else(|| or_bad("must have 1 to 64 characters, none a control one"))?;
                self.filter.tag = Some(tag);
            }
            "uploaded_after" => self.filter.after = query::time(name, value)?,
            "uploaded_before" => self.filter.before = query::time(name, value)?,
            _ => return Err(or_bad("is unknown")),
        }
        Ok(())
    }
}

fn truth(name: &str, value: &str) -> Result<bool, Error> {
    let truth = value.parse();
    truth.map_err(|_| bad(name, "must be true or false"))
}

fn query_of(value: &str) -> Result<Query, Error> {
    let expected = "must have at most 256 characters, and a letter or a digit among them";
    Query::parse(value).ok_or_else(|| bad("q", expected))
}

fn order(query: Option<Query>, deleted: bool, cursor: Option<&str>) -> Result<Order, Error> {
    let listed = match deleted {
        true => Order::LastDeleted,
        false => Order::Newest,
    };
    Ok(match (query, cursor) {
        (None, None) => listed(Cursor::START),
        (None, Some(cursor)) => listed(query::cursor("cursor", cursor, Cursor::decode)?),
        (Some(query), None) => Order::Best(query, SearchCursor::START),
        (Some(query), Some(cursor)) => Order::Best(
            query,
            query::cursor("cursor", cursor, SearchCursor::decode)?,
        ),
    })
}

fn type_pattern(value: &str) -> Option<String> {
    let value = value.to_ascii_lowercase();
    let parameters = value.contains(';') || value != value.trim();
    FileType::parse(&value).filter(|_| !parameters)?;
    Some(match value.strip_suffix("/*") {
        Some(kind) => format!("{}/%", literal(kind)),
        None => literal(&value),
    })
}

/// What LIKE takes for nothing but itself.
fn literal(text: &str) -> String {
    text.replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn no_query_shows_the_newest_fifty() {
        let page = Page::parse("").expect("a page");
        assert_eq!(page, Page::default());
        assert_eq!(page.limit, 50);
    }

    #[test]
    fn every_parameter_counts() {
        let cursor = Cursor::START.encode();
        let query = format!(
            "limit=7&type=Text/Plain&name=%C5%BB+a%25&cursor={cursor}\
             &uploaded_after=2025-08-20T08:10:48Z&uploaded_before=2025-08-20T10:10:48.5%2B02:00"
        );
        let page = Page::parse(&query).expect("a page");
        assert_eq!(page.limit, 7);
        assert_eq!(page.order, Order::Newest(Cursor::START));
        assert_eq!(page.filter.type_pattern, "text/plain");
        assert_eq!(page.filter.name, "Ż a%");
        assert_eq!(page.filter.after, at("2025-08-20T08:10:48Z"));
        assert_eq!(page.filter.before, at("2025-08-20T08:10:48.5Z"));
    }

    #[test]
    fn a_query_asks_for_the_best_and_its_cursor_is_another() {
        let query = Query::parse("an offer").expect("a query");
        let page = Page::parse("q=an+offer").expect("a page");
        assert_eq!(page.order, Order::Best(query.clone(), SearchCursor::START));
        let cursor = SearchCursor::START.encode();
        let page = Page::parse(&format!("cursor={cursor}&q=an+offer")).expect("a page");
        assert_eq!(page.order, Order::Best(query, SearchCursor::START));
    }

    #[test]
    fn the_trash_is_another_list() {
        let page = Page::parse("deleted=true&tag=+offer").expect("a page");
        assert_eq!(page.order, Order::LastDeleted(Cursor::START));
        assert_eq!(page.filter.tag.as_deref(), Some("offer"));
        let live = Page::parse("deleted=false").expect("a page");
        assert_eq!(live, Page::default());
    }

    #[test]
    fn a_pattern_matches_what_was_meant_and_no_more() {
        for (value, pattern) in [
            ("image/*", Some("image/%")),
            ("application/vnd.a_b%c", Some("application/vnd.a\\_b\\%c")),
            ("*/*", Some("*/%")),
            ("image", None),
            ("text/plain; charset=utf-8", None),
            ("/*", None),
        ] {
            assert_eq!(type_pattern(value).as_deref(), pattern, "{value}");
        }
    }

    #[test]
    fn a_parameter_that_makes_no_sense_is_named() {
        let queries = [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=", "limit"),
            ("limit=-1", "limit"),
            ("limit=5&limit=5", "limit"),
            ("cursor=abc", "cursor"),
            ("cursor=ffffffffffffffffffffffffffffffff0", "cursor"),
            ("q=", "q"),
            ("q=%22-%22", "q"),
            ("q=a&cursor=abc", "cursor"),
            ("tag=", "tag"),
            ("tag=a&tag=b", "tag"),
            ("deleted=yes", "deleted"),
            ("q=a&deleted=true", "q"),
            ("type=image", "type"),
            ("name=", "name"),
            ("name=a%00b", "name"),
            ("uploaded_after=yesterday", "uploaded_after"),
            ("uploaded_before=2025-08-20", "uploaded_before"),
            ("uploaded_before=2025-08-20T08:10:48", "uploaded_before"),
            (
                "uploaded_before=2025-08-20T08:10:48Z[UTC]",
                "uploaded_before",
            ),
            ("uploaded_after=-009999-08-20T08:10:48Z", "uploaded_after"),
            ("page=2", "page"),
        ];
        query::assert_each_is_named(Page::parse, &queries);
    }

    #[test]
    fn a_time_beyond_the_last_is_the_last() {
        let query = "uploaded_before=9999-12-31T23:59:59-23:59";
        assert_eq!(Page::parse(query).expect("a page"), Page::default());
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_within_bounds(query in "((limit|cursor|type|name|uploaded_after)=[^&]{0,8}&?){0,3}|.{0,60}") {
            if let Ok(page) = Page::parse(&query) {
                prop_assert!((1..=100).contains(&page.limit));
                prop_assert!(!page.filter.name.contains('\0'));
            }
        }
    }
}
