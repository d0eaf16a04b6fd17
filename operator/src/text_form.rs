//! What text may be that users write: values of Secrets, and fields of a spec. Whoever made a Secret from a file gave it
//! the end of a line, which is no part of the value. What a text must not be is told by its name, and never shown.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextForm {
    /// Bytes, without white space around.
    longest: usize,
    /// Whether it may have several lines.
    lines: bool,
}

impl TextForm {
    /// One line of at most `longest` bytes.
    #[must_use]
    pub const fn line(longest: usize) -> Self {
        Self {
            longest,
            lines: false,
        }
    }

    /// Lines of at most `longest` bytes together.
    #[must_use]
    pub const fn lines(longest: usize) -> Self {
        Self {
            longest,
            lines: true,
        }
    }

    /// Whether `text` is as it should be.
    ///
    /// # Errors
    /// A phrase that says what it has and must not have, or has too much of.
    pub fn check(self, text: &str) -> Result<(), String> {
        let (bytes, longest) = (text.len(), self.longest);
        if bytes > longest {
            return Err(format!("has {bytes} bytes, and may have {longest}"));
        }
        let ends_line = |c: char| self.lines && matches!(c, '\n' | '\r' | '\t');
        let Some(at) = text.find(|c: char| c.is_control() && !ends_line(c)) else {
            return Ok(());
        };
        let what = match text.as_bytes()[at] {
            b'\n' | b'\r' => "a line break",
            0 => "a NUL character",
            _ => "a control character",
        };
        Err(format!("has {what}, behind {at} bytes"))
    }

    /// The text of `value`, without the white space around it.
    ///
    /// # Errors
    /// As of [`TextForm::check`], and when it is no text.
    pub fn read(self, value: &[u8]) -> Result<&str, String> {
        let value = value.trim_ascii();
        let text = std::str::from_utf8(value).map_err(|_| "is not UTF-8 text".to_owned())?;
        self.check(text)?;
        Ok(text)
    }

    /// The value of `key`; none where there is none, or an empty one.
    ///
    /// # Errors
    /// A sentence that names the key, and says what is wrong with its value.
    pub fn optional<'a>(
        self,
        data: &'a BTreeMap<String, ByteString>,
        key: &str,
    ) -> Result<Option<&'a str>, String> {
        let Some(value) = data.get(key) else {
            return Ok(None);
        };
        let text = self
            .read(&value.0)
            .map_err(|what| format!("its key {key:?} {what}"))?;
        Ok((!text.is_empty()).then_some(text))
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// As of [`TextForm::optional`], and when there is none, or an empty one.
    pub fn required<'a>(
        self,
        data: &'a BTreeMap<String, ByteString>,
        key: &str,
    ) -> Result<&'a str, String> {
        let text = self.optional(data, key)?;
        text.ok_or_else(|| format!("it has no key {key:?}, or an empty one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: TextForm = TextForm::line(8);
    const LINES: TextForm = TextForm::lines(8);

    #[test]
    fn white_space_around_a_value_is_no_part_of_it_and_no_control_character_is_let_through() {
        for (value, line, lines) in [
            (&b"secret"[..], Ok("secret"), Ok("secret")),
            (b"\xef\xbb\xbf", Ok("\u{feff}"), Ok("\u{feff}")),
            (b"  secret\r\n", Ok("secret"), Ok("secret")),
            (b"\n", Ok(""), Ok("")),
            (
                b"se\ncret",
                Err("has a line break, behind 2 bytes"),
                Ok("se\ncret"),
            ),
            (
                b"se\rcret",
                Err("has a line break, behind 2 bytes"),
                Ok("se\rcret"),
            ),
            (
                b"se\0cret",
                Err("has a NUL character, behind 2 bytes"),
                Err("has a NUL character, behind 2 bytes"),
            ),
            (
                b"secret\0",
                Err("has a NUL character, behind 6 bytes"),
                Err("has a NUL character, behind 6 bytes"),
            ),
            (
                b"se\x1bcret",
                Err("has a control character, behind 2 bytes"),
                Err("has a control character, behind 2 bytes"),
            ),
            (
                "se\u{85}ret".as_bytes(),
                Err("has a control character, behind 2 bytes"),
                Err("has a control character, behind 2 bytes"),
            ),
            (
                b"se\xffcret",
                Err("is not UTF-8 text"),
                Err("is not UTF-8 text"),
            ),
            (
                b"secretive",
                Err("has 9 bytes, and may have 8"),
                Err("has 9 bytes, and may have 8"),
            ),
        ] {
            assert_eq!(LINE.read(value), line.map_err(str::to_owned), "{value:?}");
            assert_eq!(LINES.read(value), lines.map_err(str::to_owned), "{value:?}");
        }
    }

    #[test]
    fn a_key_is_named_and_its_value_is_not() {
        let entries = [("a", "hush\0"), ("b", " \n"), ("c", "hush\n")];
        let data = entries.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
        let data = BTreeMap::from(data);
        let refusal = "its key \"a\" has a NUL character, behind 4 bytes";
        assert_eq!(LINE.required(&data, "a"), Err(refusal.into()));
        assert_eq!(LINE.optional(&data, "b"), Ok(None));
        for lacking in ["b", "d"] {
            let refusal = format!("it has no key {lacking:?}, or an empty one");
            assert_eq!(LINE.required(&data, lacking), Err(refusal));
        }
        assert_eq!(LINE.required(&data, "c"), Ok("hush"));
    }
}
