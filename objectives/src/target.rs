//! The share of good requests that is promised.

use std::fmt;
use std::str::FromStr;

/// What a target looks like, for the rule in the schema: a percentage with three decimals at most.
pub const PATTERN: &str = r"^[0-9]{1,2}(\.[0-9]{1,3})?$";

/// Thousandths of a percent in the whole.
const WHOLE: u32 = 100_000;

/// The share of good requests that is promised, in thousandths of a percent: 99.9 % is 99 900. More
/// than nothing and less than everything: both would leave no budget to speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(u32);

impl Target {
    /// The share of requests that may be bad, between 0 and 1.
    #[must_use]
    pub fn budget(self) -> f64 {
        f64::from(WHOLE - self.0) / f64::from(WHOLE)
    }

    /// The share of requests that must be good, between 0 and 1.
    #[must_use]
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no target; it is a percentage above 0 and below 100, such as 99.9")
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit())
        };
        if !digits(whole, 2) || !digits(decimals, 3) {
            return Err(wrong());
        }
        let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
        let thousandths = number(whole)? * 1000 + number(&format!("{decimals:0<3}"))?;
        if thousandths == 0 {
            return Err(wrong());
        }
        Ok(Self(thousandths))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target(text: &str) -> Target {
        text.parse().expect(text)
    }

    #[test]
    fn a_budget_is_what_the_target_leaves() {
        assert!((target("99.9").budget() - 0.001).abs() < 1e-12);
        assert!((target("99").budget() - 0.01).abs() < 1e-12);
        assert!((target("0.001").budget() - 0.99999).abs() < 1e-12);
    }

    #[test]
    fn what_leaves_no_budget_or_promises_nothing_is_no_target() {
        for wrong in [
            "100", "0", "0.000", "", ".", "99.", ".9", "99.9999", "99,9", "-1", "9x", "１",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_target_is_written_as_it_is_read(thousandths in 1_u32..100_000) {
            let target = Target(thousandths);
            prop_assert_eq!(target.to_string().parse::<Target>(), Ok(target));
        }

        #[test]
        fn whatever_the_schema_accepts_is_understood_unless_it_is_nothing(text in &PATTERN[1..PATTERN.len() - 1]) {
            let nothing = text.bytes().all(|it| matches!(it, b'0' | b'.'));
            prop_assert_eq!(text.parse::<Target>().is_err(), nothing);
        }
    }
}
