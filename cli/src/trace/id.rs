//! What a trace is asked for by.

/// The id of a request or of a trace; its characters mean nothing to a shell, a search or JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// Reads an `X-Request-ID`, a trace id, or a whole `traceparent` (W3C Trace Context), whose trace
    /// is meant.
    ///
    /// # Errors
    /// It can be none of these; the sentence says why.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.is_empty() || text.len() > 128 || !text.chars().all(known) {
            return Err("an id has 1 to 128 letters, digits and ._- in it".into());
        }
        let parts: Vec<&str> = text.split('-').collect();
        Ok(Self(match parts[..] {
            ["00", trace, span, flags]
                if is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2) =>
            {
                trace.to_owned()
            }
            _ => text.to_owned(),
        }))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_a_request_or_a_trace_and_a_traceparent_names_its_trace() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (text, id) in [
            (
                "cfaf70b4-f739-4281-aa67-60860b2d91d0",
                "cfaf70b4-f739-4281-aa67-60860b2d91d0",
            ),
            (" order_12.7 ", "order_12.7"),
            (trace, trace),
            (&format!("00-{trace}-00f067aa0ba902b7-01"), trace),
            ("00-4bf9-00f0-01", "00-4bf9-00f0-01"),
        ] {
            assert_eq!(Id::read(text).expect(text).text(), id);
        }
        for wrong in ["", "a b", "a\"b", "$(id)", &"a".repeat(129)] {
            assert!(Id::read(wrong).is_err(), "{wrong}");
        }
    }
}
