//! International bank account numbers (ISO 13616).

use super::Finding;
use super::words::{around, is_id};

/// Country and length, as the registry of SWIFT has them.
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 \
    CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 \
    HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 \
    ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 \
    SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let text = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        let starts = at == 0 || !text[at - 1].is_ascii_alphanumeric();
        let end = if starts { end(text, at) } else { None };
        if let Some(end) = end {
            let mark = "[iban]";
            found.push(Finding {
                range: at..end,
                mark,
            });
        }
        at = end.unwrap_or(at + 1);
    }
}

/// Where the number that starts here ends.
fn end(text: &[u8], start: usize) -> Option<usize> {
    let head = text.get(start..start + 4)?;
    if !head[..2].iter().all(u8::is_ascii_alphabetic) || !head[2..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let country = head[..2].to_ascii_uppercase();
    let length = LENGTHS
        .split(' ')
        .find_map(|entry| entry.as_bytes().strip_prefix(country.as_slice()))
        .and_then(|length| std::str::from_utf8(length).ok()?.parse::<usize>().ok())?;
    let (mut account, mut at) = (Vec::with_capacity(length), start);
    while account.len() < length {
        match text.get(at)? {
            byte if byte.is_ascii_alphanumeric() => account.push(byte.to_ascii_uppercase()),
            // It is printed in groups of four.
            b' ' | b'+' if account.len().is_multiple_of(4) => {}
            _ => return None,
        }
        at += 1;
    }
    let word = around(text, &(start..at));
    (word.end == at && !is_id(&text[word]) && has_check_digits(&account)).then_some(at)
}

/// The number with its first four characters at its end is 1 modulo 97; a letter counts as two digits.
fn has_check_digits(account: &[u8]) -> bool {
    let (head, rest) = account.split_at(4);
    let remainder = rest.iter().chain(head).fold(0_u32, |remainder, byte| {
        match byte {
            b'0'..=b'9' => remainder * 10 + u32::from(byte - b'0'),
            _ => remainder * 100 + u32::from(byte - b'A') + 10,
        }
        .rem_euclid(97)
    });
    remainder == 1
}
