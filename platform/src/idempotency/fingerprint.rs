//! What a request meant, to tell whether another means the same.

use sha2::{Digest as _, Sha256};

/// SHA-256 of the parts of a request that count: how they were wrapped may differ between sendings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub(super) [u8; 32]);

impl Fingerprint {
    /// Of the parts of one request, in order.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length before it, a part cannot pass for the end of another.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn where_a_part_ends_counts() {
        assert_ne!(
            Fingerprint::of(&[b"ab", b"c"]),
            Fingerprint::of(&[b"a", b"bc"])
        );
        assert_ne!(Fingerprint::of(&[b"ab"]), Fingerprint::of(&[b"ab", b""]));
    }

    proptest! {
        #[test]
        fn the_same_parts_have_the_same_one(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..5)) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(Fingerprint::of(&parts), Fingerprint::of(&parts));
        }
    }
}
