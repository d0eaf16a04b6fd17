//! The part of a text that a search found, safe to put into a page.

/// What Postgres sets around a match. No stored text has these characters.
pub(crate) const START: char = '\u{2}';
pub(crate) const END: char = '\u{3}';

/// `headline` as HTML: matches in `<mark>`, everything else escaped, on one line.
pub(crate) fn html(headline: &str) -> String {
    let mut html = String::with_capacity(headline.len());
    let mut marked = false;
    for c in headline.chars() {
        match c {
            START if !marked => html.push_str("<mark>"),
            END if marked => html.push_str("</mark>"),
            START | END => continue,
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(' '),
            c => html.push(c),
        }
        marked = match c {
            START => true,
            END => false,
            _ => marked,
        };
    }
    if marked {
        html.push_str("</mark>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_are_marked_and_the_text_is_no_html() {
        assert_eq!(
            html("a \u{2}b\u{3} <script>alert(\"x\" & 'y')</script>\n"),
            "a <mark>b</mark> &lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt; "
        );
    }

    proptest! {
        #[test]
        fn whatever_the_text_only_marks_are_elements_and_each_one_ends(text in "[a<>&\"'\u{2}\u{3}\n]{0,30}") {
            let html = html(&text);
            let rest = html.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!rest.contains(['<', '>', '"', '\'', START, END]));
            prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
        }
    }
}
