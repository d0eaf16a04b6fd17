//! Where a page of a list ended, as a caller hands it back.

use time::OffsetDateTime;

/// After the last timestamp that a caller can name, and before the first that Postgres cannot.
const END_OF_TIME: OffsetDateTime = time::macros::datetime!(9999-12-31 23:59:59.999999 UTC);
const LENGTH: usize = 16;

/// The place just after an entry of a list that has the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of that entry.
    pub timestamp: OffsetDateTime,
    /// Tells entries of the same moment apart.
    pub id: i64,
}

impl Cursor {
    /// Before the newest.
    pub const START: Self = Self {
        timestamp: END_OF_TIME,
        id: i64::MAX,
    };

    /// The timestamp in microseconds, as exact as Postgres has it, and the id; in hex.
    pub fn encode(self) -> String {
        let micros = self.timestamp.unix_timestamp_nanos() / 1000;
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&micros.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        hex::encode(bytes)
    }

    /// `None` unless `text` is [encoded](Self::encode), and a time from 1970 to 9999.
    pub fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let (micros, id) = bytes.split_at(8);
        let micros = u64::from_be_bytes(micros.try_into().ok()?);
        let nanos = i128::from(micros) * 1000;
        let cursor = Self {
            timestamp: OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?,
            id: i64::from_be_bytes(id.try_into().ok()?),
        };
        (cursor.encode() == text).then_some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_start_is_a_cursor_too() {
        assert_eq!(Cursor::decode(&Cursor::START.encode()), Some(Cursor::START));
    }

    proptest! {
        #[test]
        fn a_cursor_can_be_handed_back(micros in 0..253_402_300_799_999_999_i64, id: i64) {
            let nanos = i128::from(micros) * 1000;
            let timestamp = OffsetDateTime::from_unix_timestamp_nanos(nanos).expect("a time");
            let cursor = Cursor { timestamp, id };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn what_is_no_cursor_is_refused_and_what_is_taken_is_a_time_of_postgres(text in "[0-9a-f]{32}|.{0,40}") {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert!((1970..=9999).contains(&cursor.timestamp.year()));
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }
}
