//! HTML.

use crate::text::decode::decode;

/// Lines are not wrapped where anything would see it.
const WIDTH: usize = 10_000;

/// What a reader would see, without links' targets and decoration.
pub(super) fn text(file: &[u8]) -> Result<String, String> {
    let html = decode(file);
    html2text::config::with_decorator(html2text::render::TrivialDecorator::new())
        .allow_width_overflow()
        .string_from_read(html.as_bytes(), WIDTH)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_a_reader_sees() {
        let page = "<!DOCTYPE html><title>T</title><style>p{}</style><script>alert(1)</script>\
                    <h1>An offer</h1><p>for <b>two</b> <a href='/x'>turbines</a> &amp; more</p>";
        let text = text(page.as_bytes()).expect("a text");
        assert!(text.contains("An offer"), "{text}");
        assert!(text.contains("for two turbines & more"), "{text}");
        assert!(
            !text.contains("alert") && !text.contains("p{}") && !text.contains("/x"),
            "{text}"
        );
    }
}
