//! Texts that resemble each other, packed: of each is kept how it differs from one that came before.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

/// Texts that others are compared with: tenants differ, and so do the objects of one kind.
const MOST_PATTERNS: usize = 8;

/// A text that takes more than one part of so many resembles no other.
const LIKENESS: usize = 4;

/// Longer ones are as good as their last 64 KiB (LZ4 block format).
const LONGEST_PATTERN: usize = 64 * 1024;

/// One text; only the [`Packing`] that packed it can read it.
#[derive(Debug)]
pub(crate) struct Packed {
    pattern: usize,
    difference: Box<[u8]>,
}

impl Packed {
    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        self.difference.len()
    }
}

/// What the texts that were packed have in common.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    /// Never changed and never dropped: texts are read by them.
    patterns: Vec<Box<[u8]>>,
}

impl Packing {
    /// Packs `text`; one that resembles no other may become one that others are compared with.
    pub(crate) fn pack(&mut self, text: &[u8]) -> Packed {
        let best = (0..self.patterns.len())
            .map(|pattern| self.differs(pattern, text))
            .min_by_key(|packed| packed.difference.len());
        match best {
            Some(best) if best.difference.len() <= text.len() / LIKENESS => best,
            Some(best) if self.patterns.len() == MOST_PATTERNS => best,
            _ => {
                let from = text.len().saturating_sub(LONGEST_PATTERN);
                self.patterns.push(text[from..].into());
                self.differs(self.patterns.len() - 1, text)
            }
        }
    }

    /// The text that was packed.
    pub(crate) fn unpack(&self, packed: &Packed) -> Vec<u8> {
        let Packed {
            pattern,
            difference,
        } = packed;
        decompress_size_prepended_with_dict(difference, &self.patterns[*pattern])
            .expect("it was packed here")
    }

    fn differs(&self, pattern: usize, text: &[u8]) -> Packed {
        let difference = compress_prepend_size_with_dict(text, &self.patterns[pattern]);
        Packed {
            pattern,
            difference: difference.into_boxed_slice(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build;
    use crate::validated_tenant::example::acme;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    /// The Deployment of one of many tenants.
    fn object(name: &str) -> Vec<u8> {
        let mut wanted = acme();
        wanted.name = name.into();
        wanted.uid = hex::encode(Sha256::digest(name));
        serde_json::to_vec(&build::children(&wanted).components[0].deployment).expect("JSON")
    }

    #[test]
    fn of_texts_that_resemble_each_other_little_is_kept() {
        let mut packing = Packing::default();
        let texts = (0..100).map(|number| object(&format!("tenant-{number}")));
        let (mut whole, mut kept) = (0, 0);
        for text in texts {
            whole += text.len();
            kept += packing.pack(&text).difference.len();
        }
        assert!(kept * 20 < whole, "{kept} of {whole}");
        assert_eq!(packing.patterns.len(), 1);
    }

    #[test]
    fn texts_that_resemble_nothing_do_not_pile_up_as_patterns() {
        let mut packing = Packing::default();
        let mut seed = 1u32;
        for _ in 0..50 {
            let mut noise = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            };
            let text: Vec<u8> = (0..500).map(|_| noise()).collect();
            let packed = packing.pack(&text);
            assert_eq!(packing.unpack(&packed), text);
        }
        assert_eq!(packing.patterns.len(), MOST_PATTERNS);
    }

    #[test]
    fn a_text_longer_than_a_pattern_is_what_it_was() {
        let mut packing = Packing::default();
        let long = |end: &str| [&object("long").repeat(20), end.as_bytes()].concat();
        let texts = [long("a"), long("b"), object("short")];
        let packed = texts.each_ref().map(|text| packing.pack(text));
        assert_eq!(packed.each_ref().map(|it| packing.unpack(it)), texts);
    }

    proptest! {
        #[test]
        fn whatever_is_packed_is_what_it_was(
            texts in prop::collection::vec(prop::collection::vec(0u8..4, 0..300), 1..30),
        ) {
            let mut packing = Packing::default();
            let packed: Vec<Packed> = texts.iter().map(|text| packing.pack(text)).collect();
            let unpacked: Vec<_> = packed.iter().map(|it| packing.unpack(it)).collect();
            prop_assert_eq!(unpacked, texts);
        }
    }
}
