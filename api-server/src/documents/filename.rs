//! The name of a file: what is left of what a caller sent once paths and control characters go.

use crate::error::Error;

const LONGEST: usize = 255;

/// 1 to 255 characters, no path separator, no control character, neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filename(String);

impl Filename {
    /// The last component of `sent`, whichever system's separators it has.
    ///
    /// # Errors
    /// [`Error::Unprocessable`] when nothing usable is left.
    pub(crate) fn parse(sent: &str) -> Result<Self, Error> {
        let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = last.chars().filter(|c| !c.is_control()).collect();
        let name = name.trim();
        let length = name.chars().count();
        if matches!(name, "" | "." | "..") || length > LONGEST {
            return Err(Error::Unprocessable(format!(
                "the file needs a name of 1 to {LONGEST} characters; it has {length}"
            )));
        }
        Ok(Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
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

    proptest! {
        #[test]
        fn a_name_that_is_accepted_is_harmless_and_stays_as_it_is(sent in "\\PC{0,300}|.{0,300}") {
            if let Ok(name) = Filename::parse(&sent) {
                let kept = name.as_str();
                prop_assert!((1..=255).contains(&kept.chars().count()));
                prop_assert!(!kept.contains(['/', '\\']) && !kept.contains(char::is_control));
                prop_assert_eq!(Filename::parse(kept).expect("still a name"), name);
            }
        }
    }
}
