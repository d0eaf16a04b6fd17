//! Tokens, keys and passwords.

use std::sync::LazyLock;

use regex::Regex;

use super::Finding;

const SECRET: &str = "[secret]";

// ASCII rules but for what may be any character: the tables of Unicode are not needed.
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?x)
        (?-u: (?P<jwt> \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4} ) )
      | (?-u: (?P<key>
            \b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b
          | \bgh[pousr]_[A-Za-z0-9]{20,}
          | \bgithub_pat_[A-Za-z0-9_]{20,}
          | \bglpat-[A-Za-z0-9_-]{16,}
          | \bsk-[A-Za-z0-9_-]{16,}
          | \b[dp]k_[0-9a-f]{64}\b
          | \b[spr]k_(?:live|test)_[A-Za-z0-9]{10,}
          | \bxox[a-z]-[A-Za-z0-9-]{10,}
          | \bAIza[A-Za-z0-9_-]{30,}
          | \bnpm_[A-Za-z0-9]{30,}
          | \bhvs\.[A-Za-z0-9_-]{20,}
        ) )
      | (?P<block> -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----(?s:.*?)(?:-----END\ [A-Z\ ]*PRIVATE\ KEY-----|\z) )
      | (?i-u:
            (?: passw(?:or)?d | passphrase | pwd | secret | token | api[_-]?key
              | access[_-]?key(?:[_-]?id)? | authorization | credentials? | signature | \bsig )
            [\\"']* \s* [=:] \s* [\\"']*
            (?: (?:bearer|basic|digest|apikey|token) [\x20+]+ )? )
        (?P<value> [^\x00-\x20"'&,;<>\\]+ )
      | (?i-u: \b(?:bearer|basic) [\x20+]+ (?P<presented> [A-Za-z0-9._~+/-]{8,}=* ) )
    "#;
    Regex::new(pattern).expect("a pattern that the tests use")
});

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let marks = [
        ("jwt", "[token]"),
        ("key", "[key]"),
        ("block", "[key]"),
        ("value", SECRET),
        ("presented", "[token]"),
    ];
    for captures in CREDENTIAL.captures_iter(text) {
        for (name, mark) in marks {
            // A mark that stands there already is no secret.
            let piece = captures
                .name(name)
                .filter(|it| !it.as_str().starts_with('['));
            if let Some(piece) = piece {
                let range = piece.range();
                found.push(Finding { range, mark });
            }
        }
    }
}
