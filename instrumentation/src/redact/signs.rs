//! What a text must have at least, for a closer look to be worth its time.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// No number that is looked for has fewer digits.
const FEWEST_DIGITS: u32 = 9;

const DIGIT: u8 = 1;
const AT: u8 = 2;
const PERCENT: u8 = 4;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] = DIGIT;
        digit += 1;
    }
    classes[b'@' as usize] = AT;
    classes[b'%' as usize] = PERCENT;
    classes
};

/// One of these stands in every text that [`super::credentials`] finds something in.
static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = [
        "passw",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "api_key",
        "api-key",
        "apikey",
        "access_key",
        "access-key",
        "accesskey",
        "authorization",
        "bearer",
        "basic",
        "credential",
        "signature",
        "sig=",
        "eyj",
        "akia",
        "asia",
        "aroa",
        "aida",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "sk-",
        "dk_",
        "sk_",
        "rk_",
        "pk_",
        "xox",
        "aiza",
        "npm_",
        "hvs.",
        "private key",
    ];
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(aho_corasick::AhoCorasickKind::DFA))
        .build(words)
        .expect("few and short words")
});

/// Shorter than the shortest credential with its word.
const SHORTEST: usize = 5;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) at: bool,
    pub(super) percent: bool,
    pub(super) digits: bool,
    pub(super) credential: bool,
}

impl Signs {
    pub(super) fn of(text: &str) -> Self {
        let (mut seen, mut digits) = (0, 0_u32);
        for byte in text.bytes() {
            let class = CLASSES[byte as usize];
            seen |= class;
            digits += u32::from(class & DIGIT);
        }
        Self {
            at: seen & AT != 0,
            percent: seen & PERCENT != 0,
            digits: digits >= FEWEST_DIGITS,
            credential: text.len() >= SHORTEST && WORDS.is_match(text),
        }
    }

    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}
