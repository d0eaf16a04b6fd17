//! E-mail addresses, and who logs in in a URL.

use std::sync::LazyLock;

use regex::Regex;

use super::Finding;

/// A domain without a dot is a host or a cluster's name.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let delimiters = r#"\x00-\x20\x7f\u{a0}@"'`<>()\[\],;:/\\=&?{}|"#;
    let pattern = format!(
        r#"://(?P<login>[^\x00-\x20/?#"'<>]+)@|(?P<email>[^{delimiters}]+@[^{delimiters}.%]+(?:\.[^{delimiters}.%]+)+)"#
    );
    Regex::new(&pattern).expect("a pattern that the tests use")
});

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    for captures in ADDRESS.captures_iter(text) {
        for (name, mark) in [("login", "[secret]"), ("email", "[email]")] {
            if let Some(piece) = captures.name(name) {
                let range = piece.range();
                found.push(Finding { range, mark });
            }
        }
    }
}
