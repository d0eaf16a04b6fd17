//! The name of a file: what is left of what a caller sent once paths go, and characters that cannot be
//! seen but change what is.

use docket_platform::error::Error;

const LONGEST: usize = 255;

/// 1 to 255 characters, no path separator, none that [is invisible](is_invisible), neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filename(String);

impl Filename {
    /// The last component of `sent`, whichever system's separators it has.
    ///
    /// # Errors
    /// [`Error::Unprocessable`] when nothing usable is left.
    pub(crate) fn parse(sent: &str) -> Result<Self, Error> {
        let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = last.chars().filter(|c| !is_invisible(*c)).collect();
        let name = name.trim();
        let length = name.chars().count();
        if matches!(name, "" | "." | "..") || length > LONGEST {
            return Err(refused(length));
        }
        Ok(Self(name.to_owned()))
    }

    /// The same of a member of a JSON body, where what goes counts, too: the OpenAPI document bounds
    /// what is sent.
    ///
    /// # Errors
    /// As [`Filename::parse`].
    pub(crate) fn of_member(sent: &str) -> Result<Self, Error> {
        match sent.chars().count() {
            ..=LONGEST => Self::parse(sent),
            length => Err(refused(length)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn refused(length: usize) -> Error {
    Error::Unprocessable(format!(
        "the file needs a name of 1 to {LONGEST} characters in UTF-8; it has {length}"
    ))
}

/// Control characters, what breaks lines, the byte order mark, and what turns the order of letters
/// around (Unicode's `Bidi_Control`), so that `gpj.exe` looks like `exe.jpg`.
fn is_invisible(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_last_component_stays() {
        for (sent, kept) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\report.pdf", "report.pdf"),
            ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
            (" żółw.txt ", "żółw.txt"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            ("a\u{2066}b\u{2069}\u{2028}\u{feff}.txt", "ab.txt"),
            (
                "\u{1f468}\u{200d}\u{1f469}.txt",
                "\u{1f468}\u{200d}\u{1f469}.txt",
            ),
        ] {
            assert_eq!(Filename::parse(sent).expect("a name").as_str(), kept);
        }
    }

    #[test]
    fn nothing_usable_is_refused() {
        for sent in [
            "",
            " ",
            "/",
            "folder/",
            "..",
            "a/..",
            "\u{0}",
            &"a".repeat(256),
        ] {
            assert!(
                matches!(Filename::parse(sent), Err(Error::Unprocessable(_))),
                "{sent:?}"
            );
        }
        assert!(Filename::parse(&"ż".repeat(255)).is_ok());
    }

    #[test]
    fn of_a_member_what_goes_counts_too() {
        let sent = format!("folder/{}", "a".repeat(250));
        assert!(Filename::parse(&sent).is_ok());
        assert!(Filename::of_member(&sent).is_err());
        assert!(Filename::of_member(&sent[5..]).is_ok());
    }

    proptest! {
        #[test]
        fn a_name_that_is_accepted_is_harmless_and_stays_as_it_is(sent in "\\PC{0,300}|.{0,300}") {
            if let Ok(name) = Filename::parse(&sent) {
                let kept = name.as_str();
                prop_assert!((1..=255).contains(&kept.chars().count()));
                prop_assert!(!kept.contains(['/', '\\']) && !kept.contains(is_invisible));
                prop_assert_eq!(Filename::parse(kept).expect("still a name"), name);
            }
        }
    }
}
