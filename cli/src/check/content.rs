//! Documents to check with: each another, and as long as it should be.

use sha2::{Digest as _, Sha256};

/// Sizes that take turns: tiny, small, and more than one read at a time.
const SIZES: [usize; 4] = [1, 1_000, 70_000, 1_200_000];

/// The content of the document `number` of the run `seed`.
pub(super) fn content(seed: &str, number: usize) -> Vec<u8> {
    let size = SIZES[number % SIZES.len()];
    let line = format!("Document {number} of {seed} is here to be read back byte by byte.\n");
    line.bytes().cycle().take(size).collect()
}

/// In hex, as the API writes it.
pub(super) fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_differ_and_their_hash_is_what_the_api_shows() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_ne!(content("a", 1), content("a", 5));
        assert_ne!(content("a", 1), content("b", 1));
        assert_eq!(content("a", 3).len(), 1_200_000);
    }
}
