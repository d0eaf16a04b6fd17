//! Where a page of a list ended, as a caller hands it back.

use jiff::Timestamp;

/// The last second of [`Timestamp::MAX`], and the last that [`Timestamp::from_microsecond`] makes.
const END_OF_TIME: Timestamp = Timestamp::constant(253_402_207_200, 0);
/// 0000-01-01T00:00:00Z: before all that is stored, and a time that Postgres knows.
pub const BEGINNING_OF_TIME: Timestamp = Timestamp::constant(-62_167_219_200, 0);
const LENGTH: usize = 16;

/// The place just after an entry of a list that has the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of that entry.
    pub timestamp: Timestamp,
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
        let micros = self.timestamp.as_microsecond();
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
        let micros = i64::try_from(micros).ok()?;
        let cursor = Self {
            timestamp: Timestamp::from_microsecond(micros).ok()?,
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
        fn a_cursor_can_be_handed_back(micros in 0..=END_OF_TIME.as_microsecond(), id: i64) {
            let timestamp = Timestamp::from_microsecond(micros).expect("a time");
            let cursor = Cursor { timestamp, id };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn what_is_no_cursor_is_refused_and_what_is_taken_is_a_time_of_postgres(text in "[0-9a-f]{32}|.{0,40}") {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert!((Timestamp::UNIX_EPOCH..=END_OF_TIME).contains(&cursor.timestamp));
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }
}
