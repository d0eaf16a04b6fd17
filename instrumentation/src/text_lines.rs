//! Log lines for people are redacted as they are written: each comes in one piece.

use std::io::{Result, Write};

use crate::redact;

pub(crate) struct Redacting<W>(pub(crate) W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_people_holds_no_personal_data() {
        let mut written = Vec::new();
        let mut writer = Redacting(&mut written);
        writer
            .write_all(b"INFO from jane@example.com\n")
            .expect("written");
        assert_eq!(written, b"INFO from [email]\n");
    }
}
