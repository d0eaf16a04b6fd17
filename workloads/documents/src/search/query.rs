//! What a search looks for.

use crate::text::words;

/// Longest query in characters.
const LONGEST: usize = 256;
const MOST_BYTES: usize = 16 * 1024;

/// A text for `websearch_to_tsquery`: words that must all be there, `"…"` for words in a row, `or`, and
/// `-` before what must not be there. What is no letter and no digit falls out as it does of documents,
/// and a word that falls apart by that, such as `offer_2026.pdf`, means its parts in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query(String);

impl Query {
    /// `None` for a query that is longer than 256 characters, or has neither a letter nor a digit.
    pub(crate) fn parse(asked: &str) -> Option<Self> {
        if asked.chars().count() > LONGEST {
            return None;
        }
        let mut query: Vec<String> = Vec::new();
        let mut negated = false;
        for (i, part) in asked.split('"').enumerate() {
            if i % 2 == 1 {
                query.extend(in_a_row(part, negated));
                negated = false;
                continue;
            }
            negated = part.rsplit(char::is_whitespace).next() == Some("-");
            for token in part.split_whitespace() {
                query.extend(match token.eq_ignore_ascii_case("or") {
                    true => Some("or".to_owned()),
                    false => in_a_row(token, token.starts_with('-')),
                });
            }
        }
        if !query.is_empty() && query.iter().all(|term| term == "or") {
            query = vec!["\"or\"".to_owned()];
        }
        (!query.is_empty()).then(|| Self(query.join(" ")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Quoted even when it is one word, so that no word of a document is an operator.
fn in_a_row(text: &str, negated: bool) -> Option<String> {
    let words = words(text, MOST_BYTES);
    let sign = if negated { "-" } else { "" };
    (!words.is_empty()).then(|| format!("{sign}\"{words}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_keeps_its_operators_and_loses_all_other_marks() {
        for (asked, query) in [
            ("Offer", "\"offer\""),
            ("two words", "\"two\" \"words\""),
            ("offer_2026.pdf", "\"offer 2026 pdf\""),
            ("\"this Offer\" x", "\"this offer\" \"x\""),
            ("a OR b", "\"a\" or \"b\""),
            ("a -b", "\"a\" -\"b\""),
            ("a -\"b c\" d", "\"a\" -\"b c\" \"d\""),
            ("full-text", "\"full text\""),
            ("a-\"b\"", "\"a\" \"b\""),
            ("a & !b | (c:*) <-> d'", "\"a\" \"b\" \"c\" \"d\""),
            ("\"open end", "\"open end\""),
            ("x - y", "\"x\" \"y\""),
            ("or", "\"or\""),
        ] {
            assert_eq!(Query::parse(asked).expect(asked).as_str(), query);
        }
    }

    #[test]
    fn a_query_without_a_word_or_too_long_is_none() {
        for asked in ["", " ", "-", "\"\"", "!!! ???", &"x".repeat(257)] {
            assert_eq!(Query::parse(asked), None, "{asked}");
        }
        assert!(Query::parse(&"ż".repeat(256)).is_some());
    }

    proptest! {
        #[test]
        fn what_reaches_postgres_has_no_other_marks(asked in ".{0,60}|[-\" a-co]{0,20}") {
            if let Some(query) = Query::parse(&asked) {
                prop_assert!(query.as_str().chars().all(|c| c.is_alphanumeric() || " \"-".contains(c)));
                prop_assert_eq!(query.as_str().matches('"').count() % 2, 0);
            }
        }
    }
}
