//! A summary made of the text's own sentences, on this machine, the same each time.
//!
//! SumBasic (Nenkova and Vanderwende, "The Impact of Frequency on Summarization", Microsoft Research
//! TR-2005-101): the sentence whose words are the most frequent on average comes first; then its words
//! count less, by the square of their share, so that the next one says something else. A word that
//! comes once does not tell what a text is about and counts nothing (Luhn, "The Automatic Creation of
//! Literature Abstracts", 1958); where no word is left to tell, the first sentences win.

use std::collections::HashMap;

use super::sentences::sentences;
use crate::text::decode::prefix;
use crate::text::words::words;

const SENTENCES: usize = 3;
/// Characters of a summary at most.
const LONGEST: usize = 500;
/// Bytes that are looked at: what a text is about stands near its start.
const START: usize = 32 * 1024;
/// Words shorter than this say little in most languages.
const SHORTEST: usize = 4;
/// Longer ones that say little in English.
const EMPTY: [&str; 36] = [
    "about", "after", "also", "because", "been", "before", "could", "does", "each", "every",
    "from", "have", "here", "into", "more", "most", "only", "other", "over", "same", "should",
    "some", "such", "than", "that", "their", "them", "then", "there", "these", "they", "this",
    "what", "which", "will", "with",
];

/// Up to three sentences of `text` in their order, together at most 500 characters; a text that is no
/// longer than that is its own summary. `None` when there is no letter and no digit in it.
pub(crate) fn summarize(text: &str) -> Option<String> {
    let sentences = sentences(prefix(text, START));
    let all = sentences.join(" ");
    if !all.contains(char::is_alphanumeric) {
        return None;
    }
    if sentences.len() <= SENTENCES && all.chars().count() <= LONGEST {
        return Some(all);
    }
    let chosen: Vec<&str> = choose(&sentences)
        .into_iter()
        .map(|i| sentences[i].as_str())
        .collect();
    Some(shortened(&chosen.join(" ")))
}

/// The places of the chosen sentences, ascending.
fn choose(sentences: &[String]) -> Vec<usize> {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut counts: Vec<f64> = Vec::new();
    let mut contents: Vec<Vec<usize>> = Vec::new();
    for sentence in sentences {
        let mut content = Vec::new();
        for word in words(sentence, START)
            .split(' ')
            .filter(|word| counts_for(word))
        {
            let next = counts.len();
            let id = *ids.entry(word.to_owned()).or_insert(next);
            if id == next {
                counts.push(0.0);
            }
            counts[id] += 1.0;
            content.push(id);
        }
        contents.push(content);
    }
    let total: f64 = counts.iter().sum();
    let share = |count: &f64| if *count > 1.0 { count / total } else { 0.0 };
    let mut shares: Vec<f64> = counts.iter().map(share).collect();
    let (mut chosen, mut left) = (Vec::new(), LONGEST);
    while chosen.len() < SENTENCES {
        let fits = |i: &usize| {
            let first = chosen.is_empty();
            !chosen.contains(i) && (first || sentences[*i].chars().count() < left)
        };
        let candidates = (0..sentences.len()).filter(fits);
        let scored = candidates.map(|i| (i, mean(&contents[i], &shares)));
        // Among equals the first in the text.
        let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((best, _)) = best else { break };
        left = left.saturating_sub(sentences[best].chars().count() + 1);
        for id in &contents[best] {
            shares[*id] = shares[*id].powi(2);
        }
        chosen.push(best);
    }
    chosen.sort_unstable();
    chosen
}

fn counts_for(word: &str) -> bool {
    word.chars().count() >= SHORTEST && EMPTY.binary_search(&word).is_err()
}

/// A headline of two words would win over every sentence, so a short one counts as if it had five.
fn mean(content: &[usize], shares: &[f64]) -> f64 {
    let sum: f64 = content.iter().map(|id| shares[*id]).sum();
    sum / content.len().max(5) as f64
}

/// At most [`LONGEST`] characters, cut after a word.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some(_) => {
            let end = text
                .char_indices()
                .nth(LONGEST - 1)
                .map_or(text.len(), |(end, _)| end);
            let cut = &text[..end];
            let cut = cut.rsplit_once(' ').map_or(cut, |(before, _)| before);
            format!("{cut}…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REPORT: &str = "Quarterly report\n\nThe weather was fine. The turbine in hall two lost \
        pressure in March, and the pressure sensor of the turbine was replaced. Lunch was served at \
        noon. We thank everyone who came. A second turbine will be inspected in June, as its sensor \
        reports the same pressure. Parking is free on Sundays. The canteen has new chairs.";

    #[test]
    fn a_summary_has_the_sentences_with_the_words_that_come_most_often() {
        assert_eq!(
            summarize(REPORT).expect("a summary"),
            "Quarterly report The turbine in hall two lost pressure in March, and the pressure sensor \
             of the turbine was replaced. A second turbine will be inspected in June, as its sensor \
             reports the same pressure."
        );
    }

    #[test]
    fn a_short_text_is_its_own_summary() {
        let text = "Dear customer,\nthis is our offer.\n";
        assert_eq!(
            summarize(text).expect("a summary"),
            "Dear customer, this is our offer."
        );
    }

    #[test]
    fn what_says_nothing_has_no_summary() {
        for text in ["", " \n", "-- *** --", "…"] {
            assert_eq!(summarize(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_sentence_without_an_end_is_cut_after_a_word() {
        let summary = summarize(&"word ".repeat(10_000)).expect("a summary");
        assert!(
            summary.ends_with("word…") && summary.chars().count() <= LONGEST,
            "{summary}"
        );
    }

    #[test]
    fn the_empty_words_are_sorted_so_that_they_are_found() {
        assert!(EMPTY.is_sorted());
    }

    proptest! {
        #[test]
        fn a_summary_is_short_one_line_and_the_same_each_time(text in "([a-zż]{1,9}[ .!?\n]{1,2}){0,200}|.{0,200}") {
            let summary = summarize(&text);
            prop_assert_eq!(&summary, &summarize(&text));
            let summary = summary.unwrap_or_default();
            prop_assert!(summary.chars().count() <= LONGEST && !summary.contains('\n'));
        }
    }
}
