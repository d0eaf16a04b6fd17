//! Which bytes a `Range` header asks for (RFC 9110, 14).

use std::ops::Range;

use http_range_header::{
    EndPosition, RangeUnsatisfiableError, StartPosition, SyntacticallyCorrectRange,
    parse_range_header,
};

/// Each part is a read of its own from the store; past this, the whole is cheaper.
const MOST_PARTS: usize = 8;

/// What of a representation is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: the header says nothing, nothing sensible, or too much.
    Whole,
    /// These parts, none empty, no two overlapping, in the order in which they were asked for.
    Parts(Vec<Range<u64>>),
    /// No byte of what was asked for exists.
    Unsatisfiable,
}

/// What `header` asks for of `size` bytes.
pub fn select(header: &str, size: u64) -> Selection {
    let asked = match parse_range_header(header) {
        Ok(asked) => asked.ranges,
        Err(RangeUnsatisfiableError::ZeroSuffix) => return Selection::Unsatisfiable,
        Err(_) => return Selection::Whole,
    };
    if asked.iter().any(is_backwards) {
        return Selection::Whole;
    }
    // The last bytes of nothing are nothing, which no Content-Range can say.
    let suffix =
        |range: &SyntacticallyCorrectRange| matches!(range.start, StartPosition::FromLast(_));
    if size == 0 && asked.iter().any(suffix) {
        return Selection::Whole;
    }
    let parts: Vec<Range<u64>> = asked
        .iter()
        .map(|range| resolve(range, size))
        .filter(|part| !part.is_empty())
        .collect();
    match parts.len() {
        0 => Selection::Unsatisfiable,
        count if count > MOST_PARTS || any_overlap(&parts) => Selection::Whole,
        _ => Selection::Parts(parts),
    }
}

/// The bytes of one range; empty when it starts past the end.
fn resolve(range: &SyntacticallyCorrectRange, size: u64) -> Range<u64> {
    let start = match range.start {
        StartPosition::Index(first) => first.min(size),
        StartPosition::FromLast(count) => size.saturating_sub(count),
    };
    let end = match range.end {
        EndPosition::Index(last) => last.saturating_add(1).min(size),
        EndPosition::LastByte => size,
    };
    start..end
}

/// Such a range is invalid, which is not the same as unsatisfiable.
fn is_backwards(range: &SyntacticallyCorrectRange) -> bool {
    matches!(
        (range.start, range.end),
        (StartPosition::Index(first), EndPosition::Index(last)) if last < first
    )
}

fn any_overlap(parts: &[Range<u64>]) -> bool {
    let mut sorted: Vec<&Range<u64>> = parts.iter().collect();
    sorted.sort_by_key(|part| part.start);
    sorted.windows(2).any(|two| two[1].start < two[0].end)
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "a list with one part is what is meant"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(ranges: &[Range<u64>]) -> Selection {
        Selection::Parts(ranges.to_vec())
    }

    #[test]
    fn the_examples_of_rfc_9110() {
        for (header, expected) in [
            ("bytes=0-499", parts(&[0..500])),
            ("bytes=500-999", parts(&[500..1000])),
            ("bytes=-500", parts(&[9500..10_000])),
            ("bytes=9500-", parts(&[9500..10_000])),
            ("bytes=0-0,-1", parts(&[0..1, 9999..10_000])),
            ("bytes=500-600,601-999", parts(&[500..601, 601..1000])),
            ("bytes=500-700,601-999", Selection::Whole),
        ] {
            assert_eq!(select(header, 10_000), expected, "{header}");
        }
    }

    #[test]
    fn what_reaches_past_the_end_is_cut_and_what_starts_there_is_not_there() {
        for (header, size, expected) in [
            ("bytes=0-99", 10, parts(&[0..10])),
            ("bytes=-99", 10, parts(&[0..10])),
            ("bytes=9-", 10, parts(&[9..10])),
            ("bytes=10-", 10, Selection::Unsatisfiable),
            ("bytes=-0", 10, Selection::Unsatisfiable),
            ("bytes=10-,0-0", 10, parts(&[0..1])),
            ("bytes=0-", 0, Selection::Unsatisfiable),
            ("bytes=-1", 0, Selection::Whole),
            ("bytes=0-18446744073709551615", 10, parts(&[0..10])),
        ] {
            assert_eq!(select(header, size), expected, "{header} of {size}");
        }
    }

    #[test]
    fn a_header_that_makes_no_sense_is_ignored() {
        let many = (0..=MOST_PARTS).map(|part| format!("{}-{}", part * 10, part * 10));
        let many = format!("bytes={}", many.collect::<Vec<_>>().join(","));
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=a-b",
            "bytes=5-4",
            "lines=0-1",
            &many,
        ] {
            assert_eq!(select(header, 1000), Selection::Whole, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_selects_parts_that_exist_and_do_not_overlap(
            header in "bytes=[0-9,-]{0,30}|.{0,40}",
            size in 0_u64..100,
        ) {
            if let Selection::Parts(parts) = select(&header, size) {
                let mut sent = vec![0; usize::try_from(size).expect("small")];
                prop_assert!((1..=MOST_PARTS).contains(&parts.len()));
                for part in parts {
                    prop_assert!(part.start < part.end && part.end <= size, "{:?}", part);
                    part.for_each(|byte| sent[usize::try_from(byte).expect("small")] += 1);
                }
                prop_assert!(sent.iter().all(|times| *times <= 1));
            }
        }

        #[test]
        fn one_range_selects_what_its_numbers_say(first in 0_u64..60, last in 0_u64..60, size in 0_u64..60) {
            let bytes: Vec<u64> = (0..size).collect();
            let all = |selection| match selection {
                Selection::Whole => bytes.clone(),
                Selection::Parts(parts) => parts.into_iter().flatten().collect(),
                Selection::Unsatisfiable => Vec::new(),
            };
            let from: Vec<u64> = bytes.iter().copied().filter(|byte| *byte >= first).collect();
            prop_assert_eq!(all(select(&format!("bytes={first}-"), size)), from);
            let of_last: Vec<u64> = bytes.iter().copied().filter(|byte| byte + last >= size).collect();
            prop_assert_eq!(all(select(&format!("bytes=-{last}"), size)), of_last);
            if first <= last {
                let between: Vec<u64> = bytes.iter().copied().filter(|byte| (first..=last).contains(byte)).collect();
                prop_assert_eq!(all(select(&format!("bytes={first}-{last}"), size)), between);
            }
        }

        #[test]
        fn the_rest_after_any_break_completes_the_whole((size, had) in (1_u64..1000).prop_flat_map(|size| (Just(size), 0..size))) {
            prop_assert_eq!(select(&format!("bytes={had}-"), size), Selection::Parts(vec![had..size]));
        }
    }
}
