//! A number of bytes, as people write it in a manifest.

/// What a size looks like, for the rule in the schema; the largest is far below what overflows.
pub(crate) const PATTERN: &str = "^[1-9][0-9]{0,5}(k|M|G|T|Ki|Mi|Gi|Ti)?$";

const UNITS: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

/// Bytes of `size`, such as `10Gi`; `None` for what the schema refuses.
#[must_use]
pub fn bytes(size: &str) -> Option<u64> {
    let unit = UNITS.iter().find(|(unit, _)| size.ends_with(unit));
    let (suffix, factor) = unit.copied().unwrap_or(("", 1));
    let number: u64 = size.strip_suffix(suffix)?.parse().ok()?;
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_those_of_kubernetes_quantities() {
        for (size, expected) in [
            ("1", Some(1)),
            ("10Gi", Some(10 * 1024 * 1024 * 1024)),
            ("10G", Some(10_000_000_000)),
            ("512Ki", Some(524_288)),
            ("5k", Some(5_000)),
            ("", None),
            ("Gi", None),
            ("1.5Gi", None),
            ("1Pi", None),
            ("-1", None),
        ] {
            assert_eq!(bytes(size), expected, "{size}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_schema_accepts_is_a_number_that_postgres_can_add_up(size in &PATTERN[1..PATTERN.len() - 1]) {
            let bytes = bytes(&size).expect("a size");
            prop_assert!(bytes > 0 && bytes < u64::MAX / 8);
        }
    }
}
