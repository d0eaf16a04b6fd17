//! The words of a name, a text or a query, so that all three agree on what a word is.

use unicode_normalization::UnicodeNormalization as _;

/// The runs of letters and digits of `text` in lower case, one space between them, at most `most`
/// bytes: `Offer_2026.PDF` has the words `offer 2026 pdf`.
///
/// Postgres would take `offer_2026.pdf` for the name of a host, and lower only ASCII in a database of
/// the locale C. Letters are composed first (NFKC), because a Mac sends names decomposed.
pub(crate) fn words(text: &str, most: usize) -> String {
    let mut words = String::new();
    let mut word = String::new();
    let letters = text.nfkc().flat_map(char::to_lowercase);
    for c in letters.chain([' ']) {
        if is_dropped(c) {
            continue;
        }
        if c.is_alphanumeric() {
            // A word that is longer than all words may be is cut.
            if word.len() < most {
                word.push(c);
            }
            continue;
        }
        let space = if words.is_empty() { "" } else { " " };
        if words.len() + space.len() + word.len() > most {
            break;
        }
        if !word.is_empty() {
            words.push_str(space);
            words.push_str(&word);
            word.clear();
        }
    }
    words
}

/// Marks that no letter was composed with, and those that only say where a line may break.
fn is_dropped(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOST: usize = 64;

    #[test]
    fn names_fall_into_words_at_all_that_is_no_letter_and_no_digit() {
        for (text, expected) in [
            ("offer_2026.PDF", "offer 2026 pdf"),
            ("Żółw-z_MIASTA", "żółw z miasta"),
            ("U\u{308}bersicht.pdf", "übersicht pdf"),
            ("bob@example.com", "bob example com"),
            ("co\u{ad}operate", "cooperate"),
            ("İzmir", "izmir"),
            ("ﬁle", "file"),
            (" -- ", ""),
            ("日本語.txt", "日本語 txt"),
        ] {
            assert_eq!(words(text, MOST), expected);
        }
    }

    #[test]
    fn no_more_words_come_out_than_fit() {
        assert_eq!(words("one two three", 7), "one two");
        assert_eq!(words("one two three", 6), "one");
        assert_eq!(words(&"a".repeat(100), 8), "a".repeat(8));
        assert!(words(&"\u{fdfa} ".repeat(1000), 4096).len() <= 4096);
    }

    proptest! {
        #[test]
        fn words_are_letters_digits_and_single_spaces_and_stay_so(text in ".{0,60}", most in 1_usize..80) {
            let once = words(&text, most);
            prop_assert!(once.len() <= most);
            prop_assert!(once.split(' ').all(|word| once.is_empty() || !word.is_empty()));
            prop_assert!(once.chars().all(|c| c.is_alphanumeric() || c == ' '));
            prop_assert_eq!(words(&once, MOST * 8), once);
        }
    }
}
