//! Where one sentence ends and the next begins.

/// Sentences that are looked at at most.
const MOST: usize = 400;

/// The sentences of `text`, each on one line: what ends with `.`, `!`, `?` or their like before a space,
/// or with an empty line.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sentence = String::new();
    let mut end = |sentence: &mut String| {
        let whole = std::mem::take(sentence);
        if !whole.is_empty() && sentences.len() < MOST {
            sentences.push(whole);
        }
    };
    for line in text.lines() {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_none() {
            end(&mut sentence);
        }
        for word in words {
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            sentence.push_str(word);
            if ends(word) {
                end(&mut sentence);
            }
        }
    }
    end(&mut sentence);
    sentences
}

/// A number or a single letter before the full stop is a date, an ordinal or an initial.
fn ends(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    match word.strip_suffix(['.', '!', '?', '…', '。', '！', '？']) {
        Some(stem) if word.ends_with('.') => {
            stem.chars().count() > 1 && !stem.ends_with(|c: char| c.is_ascii_digit())
        }
        Some(_) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_at_marks_and_empty_lines_and_not_at_dates_or_initials() {
        let text = "A title\n\nOn 3. March J. Smith came\nto see us. \"Really?\" he said! No end";
        assert_eq!(
            sentences(text),
            [
                "A title",
                "On 3. March J. Smith came to see us.",
                "\"Really?\"",
                "he said!",
                "No end",
            ]
        );
    }
}
