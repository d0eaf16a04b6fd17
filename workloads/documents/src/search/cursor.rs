//! Where a page of a search ended, as a caller hands it back.

use super::SearchHit;

const LENGTH: usize = 16;

/// The place just after a document in the results of a search, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SearchCursor {
    /// The newest document when the search began: what came later is not among its results.
    pub(crate) newest: i64,
    pub(crate) id: i64,
}

impl SearchCursor {
    /// Before the best result.
    pub(crate) const START: Self = Self {
        newest: i64::MAX,
        id: i64::MAX,
    };

    pub(crate) fn after(found: &SearchHit) -> Self {
        Self {
            newest: found.newest,
            id: found.document.id,
        }
    }

    /// In hex; of the same length as the [cursor](docket_platform::paging::Cursor) of a list.
    pub(crate) fn encode(self) -> String {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&self.newest.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        hex::encode(bytes)
    }

    /// `None` unless `text` was [encoded](Self::encode).
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let (newest, id) = bytes.split_at(8);
        let place = Self {
            newest: i64::from_be_bytes(newest.try_into().ok()?),
            id: i64::from_be_bytes(id.try_into().ok()?),
        };
        (place.encode() == text).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_can_be_handed_back(newest: i64, id: i64) {
            let place = SearchCursor { newest, id };
            prop_assert_eq!(SearchCursor::decode(&place.encode()), Some(place));
        }

        #[test]
        fn what_is_no_place_is_refused(text in "[0-9a-f]{32}|.{0,40}") {
            if let Some(place) = SearchCursor::decode(&text) {
                prop_assert_eq!(place.encode(), text);
            }
        }
    }
}
