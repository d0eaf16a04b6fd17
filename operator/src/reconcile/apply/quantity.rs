//! Kubernetes quantities: the API server stores `0.5Gi` as `512Mi`, and both are the same.

/// Factors of ten and of two that a suffix stands for, longest suffixes first.
const SUFFIXES: [(&str, i32, u32); 15] = [
    ("Ki", 0, 10),
    ("Mi", 0, 20),
    ("Gi", 0, 30),
    ("Ti", 0, 40),
    ("Pi", 0, 50),
    ("Ei", 0, 60),
    ("n", -9, 0),
    ("u", -6, 0),
    ("m", -3, 0),
    ("k", 3, 0),
    ("M", 6, 0),
    ("G", 9, 0),
    ("T", 12, 0),
    ("P", 15, 0),
    ("E", 18, 0),
];

/// Whether both are quantities of the same amount.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b || nanos(a).is_some_and(|amount| nanos(b) == Some(amount))
}

/// The amount in thousand-millionths, rounded up as the API server does; `None` for what is no
/// quantity that can be compared.
fn nanos(text: &str) -> Option<i128> {
    let suffix = SUFFIXES.iter().find(|(suffix, ..)| text.ends_with(suffix));
    let (number, ten, two) = match (suffix, text.split_once(['e', 'E'])) {
        (Some((suffix, ten, two)), _) => (text.strip_suffix(suffix)?, *ten, *two),
        (None, Some((number, exponent))) => (number, exponent.parse().ok()?, 0),
        (None, None) => (text, 0, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let fraction = i32::try_from(fraction.len()).ok()?;
    let ten = ten.checked_add(9)?.checked_sub(fraction)?;
    let amount = digits.checked_mul(1i128.checked_shl(two)?)?;
    let power = 10i128.checked_pow(ten.unsigned_abs())?;
    if ten >= 0 {
        return amount.checked_mul(power);
    }
    let rest = i128::from(amount % power > 0);
    Some(amount / power + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quantity_is_the_same_however_it_is_written() {
        for (a, b) in [
            ("0.5Gi", "512Mi"),
            ("0.1", "100m"),
            ("2000m", "2"),
            ("1e3", "1k"),
            ("1.5E", "1500P"),
            (".5", "500m"),
            ("1", "1.0"),
        ] {
            assert!(same(a, b), "{a} is {b}");
        }
        for (a, b) in [
            ("1", "1m"),
            ("1G", "1Gi"),
            ("64Mi", "65Mi"),
            ("1", "x"),
            ("", "0"),
        ] {
            assert!(!same(a, b), "{a} is not {b}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[-+0-9.eEKMGTPimunk]{0,40}") {
            prop_assert!(same(&text, &text));
            prop_assert_eq!(same(&text, "1"), same("1", &text));
        }
    }
}
