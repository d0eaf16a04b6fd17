//! How Postgres and answers show a time.

use jiff::Timestamp;
use serde::Serializer;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

/// ISO 8601 in UTC with six digits of a second, such as `2025-08-20T08:10:48.108442Z`.
pub fn microseconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.6}"))
}

/// The `timestamptz` in the `column` of `row`.
///
/// # Errors
/// When there is none.
pub fn column(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Ok(row.try_get::<jiff_sqlx::Timestamp, _>(column)?.to_jiff())
}

/// The same where it may be null.
///
/// # Errors
/// When there is no such column.
pub fn optional_column(row: &PgRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    let time: Option<jiff_sqlx::Timestamp> = row.try_get(column)?;
    Ok(time.map(jiff_sqlx::Timestamp::to_jiff))
}
