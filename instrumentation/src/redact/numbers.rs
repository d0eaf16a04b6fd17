//! Payment card numbers (ISO/IEC 7812) and US social security numbers.

use std::ops::Range;

use super::Finding;
use super::words::{around, is_id};

/// Digits of a card number that is written in one piece.
const CARD_LENGTHS: std::ops::RangeInclusive<usize> = 13..=19;

/// How card numbers are printed in groups.
const CARD_GROUPS: [&[usize]; 5] = [
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 5, 6],
];

const SSN_GROUPS: &[usize] = &[3, 2, 4];

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let text = text.as_bytes();
    let runs = runs(text);
    let mut at = 0;
    while at < runs.len() {
        let number = number(text, &runs[at..]);
        if let Some((groups, mark)) = number {
            let range = runs[at].start..runs[at + groups - 1].end;
            found.push(Finding { range, mark });
            at += groups;
        } else {
            at += 1;
        }
    }
}

/// What the first of `runs` begin: in how many of them, and its mark.
fn number(text: &[u8], runs: &[Range<usize>]) -> Option<(usize, &'static str)> {
    let digits = |groups: usize| -> Vec<u8> {
        let runs = runs[..groups].iter();
        runs.flat_map(|run| &text[run.clone()]).copied().collect()
    };
    let grouped = CARD_GROUPS
        .into_iter()
        .find(|groups| are(text, runs, groups) && is_card(&digits(groups.len())));
    if let Some(groups) = grouped {
        return Some((groups.len(), "[card]"));
    }
    if CARD_LENGTHS.contains(&runs[0].len())
        && is_card(&digits(1))
        && !is_id(&text[around(text, &runs[0])])
    {
        return Some((1, "[card]"));
    }
    (are(text, runs, SSN_GROUPS) && is_ssn(&digits(3))).then_some((3, "[ssn]"))
}

/// The longest stretches of digits.
fn runs(text: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match runs.last_mut() {
            _ if !byte.is_ascii_digit() => {}
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// Whether `runs` begin with groups of these lengths, with one and the same character between them.
fn are(text: &[u8], runs: &[Range<usize>], groups: &[usize]) -> bool {
    if runs.len() < groups.len() || runs.iter().zip(groups).any(|(run, n)| run.len() != *n) {
        return false;
    }
    let between = text[runs[0].end];
    matches!(between, b' ' | b'-' | b'_' | b'+' | b'.')
        && runs[..groups.len()]
            .windows(2)
            .all(|pair| pair[0].end + 1 == pair[1].start && text[pair[0].end] == between)
}

/// A number of an issuer that makes cards for people, with the right check digit (Luhn).
fn is_card(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    matches!(digits.first(), Some(b'2'..=b'6')) && sum.is_multiple_of(10)
}

/// What the Social Security Administration gives out.
fn is_ssn(digits: &[u8]) -> bool {
    let (area, rest) = digits.split_at(3);
    let (group, serial) = rest.split_at(2);
    area != b"000" && area != b"666" && area[0] != b'9' && group != b"00" && serial != b"0000"
}
