//! How answers show a time.

use serde::Serializer;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};

const MICROSECONDS: EncodedConfig = Config::DEFAULT
    .set_year_is_six_digits(false)
    .set_time_precision(TimePrecision::Second {
        decimal_digits: std::num::NonZeroU8::new(6),
    })
    .encode();

/// ISO 8601 in UTC with six digits of a second, such as `2025-08-20T08:10:48.108442Z`.
pub fn microseconds<S: Serializer>(
    time: &OffsetDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let text = utc
        .format(&Iso8601::<MICROSECONDS>)
        .map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}
