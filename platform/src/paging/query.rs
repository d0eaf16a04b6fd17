//! The query of a list's URL: what every list has, and how a parameter is refused.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

use super::Cursor;
use crate::error::Error;

/// How many on a page, unless told.
pub const DEFAULT_LIMIT: u32 = 50;
const LARGEST_LIMIT: u32 = 100;

/// Hands each parameter of `query` to `set`.
///
/// # Errors
/// [`Error::BadRequest`] for one that is given twice, and what `set` refuses.
pub fn each(
    query: &str,
    mut set: impl FnMut(&str, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if seen.iter().any(|seen| *seen == name) {
            return Err(bad(&name, "is given twice"));
        }
        set(&name, &value)?;
        seen.push(name.into_owned());
    }
    Ok(())
}

/// The refusal of the parameter `name`.
pub fn bad(name: &str, what: &str) -> Error {
    Error::BadRequest(format!("the query parameter {name:?} {what}"))
}

/// How many on a page.
pub fn limit(name: &str, value: &str) -> Result<u32, Error> {
    let limit = value.parse().ok();
    let limit = limit.filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
    limit.ok_or_else(|| bad(name, "must be a whole number from 1 to 100"))
}

/// Where the page starts, as the list's own `decode` reads it.
pub fn cursor<T>(
    name: &str,
    value: &str,
    decode: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Error> {
    decode(value).ok_or_else(|| bad(name, "must be the next of a page before"))
}

/// A time of RFC 3339.
pub fn time(name: &str, value: &str) -> Result<Timestamp, Error> {
    let (local, offset) = rfc_3339(value).ok_or_else(|| {
        let expected = "must be an RFC 3339 time, such as 2025-08-20T08:10:48Z";
        bad(name, expected)
    })?;
    // The last hours of the year 9999 are after all that a timestamp can be.
    let time = offset.to_timestamp(local);
    Ok(time.unwrap_or(Cursor::START.timestamp))
}

/// What a clock shows, and how far it is ahead of UTC.
fn rfc_3339(text: &str) -> Option<(DateTime, Offset)> {
    // A year has four digits and no sign, and is one that Postgres knows.
    let pieces = Pieces::parse(text)
        .ok()
        .filter(|_| text.starts_with(|c: char| c.is_ascii_digit()))?;
    let named = pieces.time_zone_annotation().is_some();
    let offset = pieces.to_numeric_offset().filter(|_| !named)?;
    Some((pieces.date().to_datetime(pieces.time()?), offset))
}

/// Sees, in the tests of a list, that its `parse` refuses each query and names its parameter.
///
/// # Panics
/// When it does not.
pub fn assert_each_is_named<T: std::fmt::Debug>(
    parse: impl Fn(&str) -> Result<T, Error>,
    queries: &[(&str, &str)],
) {
    for (query, name) in queries {
        match parse(query) {
            Err(Error::BadRequest(sentence)) => {
                let named = sentence.contains(&format!("{name:?}"));
                assert!(named, "{query}: {sentence}");
            }
            other => panic!("{query}: {other:?}"),
        }
    }
}
