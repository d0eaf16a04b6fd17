//! Which entries a list shows: the query of its URL.

use jiff::Timestamp;

use crate::error::Error;
use crate::paging::query::{self, DEFAULT_LIMIT, bad};
use crate::paging::{BEGINNING_OF_TIME, Cursor};

const LONGEST_WORD: usize = 63;
const LONGEST_ID: usize = 255;

/// The entries that are shown; each member lets everything through until it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    /// Only those about one kind of thing; any when it is empty.
    pub(super) subject_kind: String,
    /// Only those about what has this id.
    pub(super) subject_id: Option<String>,
    /// Only those that did this; any when it is empty.
    pub(super) action: String,
    /// Only later ones.
    pub(super) after: Timestamp,
    /// Only earlier ones.
    pub(super) before: Timestamp,
}

/// A query that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) filter: Filter,
    pub(super) start: Cursor,
    /// Entries on the page, 1 to 100.
    pub(super) limit: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            filter: Filter {
                subject_kind: String::new(),
                subject_id: None,
                action: String::new(),
                after: BEGINNING_OF_TIME,
                before: Cursor::START.timestamp,
            },
            start: Cursor::START,
            limit: DEFAULT_LIMIT,
        }
    }
}

impl Page {
    /// # Errors
    /// [`Error::BadRequest`] that names a parameter which is unknown, given twice or makes no sense.
    pub(super) fn parse(query: &str) -> Result<Self, Error> {
        let mut page = Self::default();
        query::each(query, |name, value| page.set(name, value))?;
        Ok(page)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "limit" => self.limit = query::limit(name, value)?,
            "cursor" => self.start = query::cursor(name, value, Cursor::decode)?,
            "subject_kind" => {
                let word = word(value, |b| b.is_ascii_lowercase() || b == b'_');
                self.filter.subject_kind =
                    word.ok_or_else(|| bad(name, "must be a word in lower case"))?;
            }
            "subject_id" => {
                let sane = (1..=LONGEST_ID).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_graphic());
                let id = sane.then(|| value.to_owned());
                let id = id
                    .ok_or_else(|| bad(name, "must be 1 to 255 ASCII characters without spaces"))?;
                self.filter.subject_id = Some(id);
            }
            "action" => {
                let word = word(value, |b| b.is_ascii_lowercase());
                self.filter.action =
                    word.ok_or_else(|| bad(name, "must be a verb in lower case, such as delete"))?;
            }
            "after" => self.filter.after = query::time(name, value)?,
            "before" => self.filter.before = query::time(name, value)?,
            _ => return Err(bad(name, "is unknown")),
        }
        Ok(())
    }
}

fn word(value: &str, is_allowed: fn(u8) -> bool) -> Option<String> {
    let sane = (1..=LONGEST_WORD).contains(&value.len()) && value.bytes().all(is_allowed);
    sane.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn every_parameter_counts() {
        let query = "limit=7&subject_kind=page_view&subject_id=5&action=upload&after=2025-08-20T08:10:48Z\
                     &before=2025-08-21T08:10:48Z";
        let page = Page::parse(query).expect("a page");
        assert_eq!(page.limit, 7);
        assert_eq!(page.filter.subject_kind, "page_view");
        assert_eq!(page.filter.subject_id.as_deref(), Some("5"));
        assert_eq!(page.filter.action, "upload");
        assert_eq!(page.filter.after, at("2025-08-20T08:10:48Z"));
        assert_eq!(page.filter.before, at("2025-08-21T08:10:48Z"));
    }

    #[test]
    fn a_parameter_that_makes_no_sense_is_named() {
        let queries = [
            ("limit=0", "limit"),
            ("cursor=abc", "cursor"),
            ("subject_kind=", "subject_kind"),
            ("subject_kind=A", "subject_kind"),
            ("subject_kind=a&subject_id=", "subject_id"),
            ("subject_kind=a&subject_id=a%20b", "subject_id"),
            ("action=", "action"),
            ("action=UPLOAD", "action"),
            ("after=yesterday", "after"),
            ("before=1", "before"),
            ("actor=me", "actor"),
            ("action=upload&action=delete", "action"),
        ];
        query::assert_each_is_named(Page::parse, &queries);
    }
}
