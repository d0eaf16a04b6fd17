//! Personal data and credentials, taken out of a text before it becomes telemetry.
//!
//! What is recognised by its shape: e-mail addresses, payment card numbers, US social security
//! numbers, IBANs, bearer tokens, JSON Web Tokens, keys of well-known makers, private keys, what
//! follows a word such as `password=`, and who logs in in a URL. A name or a street has no shape.

mod addresses;
mod bank_accounts;
mod credentials;
mod numbers;
mod signs;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use signs::Signs;

/// Where something stands that must not be told, and what is told instead.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    range: Range<usize>,
    mark: &'static str,
}

/// `text` with a mark such as `[email]` in the place of each piece of personal data.
///
/// A text without any is returned as it is, and costs one look at each byte. One that hides
/// something behind percent-encoding is returned decoded.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    // The usual id of a request, and full of digits.
    if words::is_uuid(text) {
        return Cow::Borrowed(text);
    }
    let signs = Signs::of(text);
    if !signs.any() {
        return Cow::Borrowed(text);
    }
    if signs.percent {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        if decoded != text && !is_clean(&decoded) {
            return Cow::Owned(redact(&decoded).into_owned());
        }
    }
    match findings(text, signs) {
        findings if findings.is_empty() => Cow::Borrowed(text),
        findings => Cow::Owned(replaced(text, findings)),
    }
}

/// Whether [`redact`] leaves `text` as it is.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    matches!(redact(text), Cow::Borrowed(_))
}

fn findings(text: &str, signs: Signs) -> Vec<Finding> {
    let mut found = Vec::new();
    if signs.digits {
        numbers::find(text, &mut found);
        bank_accounts::find(text, &mut found);
    }
    if signs.at {
        addresses::find(text, &mut found);
    }
    if signs.credential {
        credentials::find(text, &mut found);
    }
    found.sort_by_key(|finding| finding.range.start);
    found
}

/// `findings` are in the order of their starts; where two overlap, one mark stands for both.
fn replaced(text: &str, findings: Vec<Finding>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for finding in findings {
        if finding.range.start >= end {
            out.push_str(&text[end..finding.range.start]);
            out.push_str(finding.mark);
        }
        end = end.max(finding.range.end);
    }
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests;
