//! Headers that collectors send along: the entries of a Secret.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::SecretString;

use crate::text_form::TextForm;

/// Value by name, in lower case.
pub type Headers = BTreeMap<String, SecretString>;

/// Headers of one Secret; each request has them all.
const MOST: usize = 32;

/// Bytes of all names and values together: servers commonly refuse more than twice that.
const MOST_BYTES: usize = 8 * 1024;

/// One of them.
const VALUE: TextForm = TextForm::line(MOST_BYTES);

/// Names that belong to gRPC and HTTP/2 themselves.
const RESERVED: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The headers of a Secret. White space around a value, such as the line's end of a file, is no part
/// of it.
///
/// # Errors
/// A sentence that names the entry, and says what is wrong with it; never its value.
pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Result<Headers, String> {
    if data.is_empty() {
        return Err("it has no entry, and each entry is a header".into());
    }
    if data.len() > MOST {
        return Err(format!(
            "it has {} entries, and at most {MOST} headers are sent",
            data.len()
        ));
    }
    let mut headers = Headers::new();
    let mut bytes = 0;
    for entry in data.keys() {
        let name = name(entry)?;
        let value = VALUE.required(data, entry)?;
        if !value.is_ascii() {
            return Err(format!(
                "its key {entry:?} has characters that no header can have: it must be one line of ASCII"
            ));
        }
        bytes += name.len() + value.len();
        if headers.insert(name, value.into()).is_some() {
            return Err(format!(
                "{entry:?} is there twice: upper and lower case make no difference in a header"
            ));
        }
    }
    if bytes > MOST_BYTES {
        return Err(format!(
            "its entries have {bytes} bytes, and headers may have {MOST_BYTES}"
        ));
    }
    Ok(headers)
}

/// Kubernetes accepts letters, digits and `._-` only, which headers may have as well.
fn name(entry: &str) -> Result<String, String> {
    let name = entry.to_ascii_lowercase();
    if RESERVED.contains(&&*name) || name.starts_with("grpc-") {
        return Err(format!(
            "{entry:?} belongs to the protocol itself and cannot be sent along"
        ));
    }
    if name.ends_with("-bin") {
        return Err(format!(
            "{entry:?} ends in -bin, which means bytes in gRPC; give it another name"
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn secret(entries: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
        entries
            .iter()
            .map(|(name, value)| ((*name).to_owned(), ByteString(value.as_bytes().to_vec())))
            .collect()
    }

    #[test]
    fn each_entry_is_a_header_without_the_end_of_its_line() {
        let seen = secret(&[("Authorization", "Bearer abc\n"), ("x-scope", "acme")]);
        let headers = from_secret(&seen).expect("headers");
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (&**name, value.expose_secret()))
            .collect();
        assert_eq!(
            headers,
            [("authorization", "Bearer abc"), ("x-scope", "acme")]
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_a_sentence_that_does_not_tell_the_value() {
        let many: Vec<String> = (0..33).map(|at| format!("x-{at}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (&**name, "hush")).collect();
        let long = "hush".repeat(2048);
        for (entries, sentence) in [
            (&[][..], "it has no entry"),
            (&many, "it has 33 entries"),
            (&[("x-a", "hush\nhush")], "its key \"x-a\" has a line break"),
            (&[("x-a", "hüsh")], "its key \"x-a\" has characters"),
            (&[("x-a", " \n")], "it has no key \"x-a\", or an empty one"),
            (
                &[("x-a", "hush"), ("X-A", "hush")],
                "\"x-a\" is there twice",
            ),
            (
                &[("Content-Type", "hush")],
                "\"Content-Type\" belongs to the",
            ),
            (
                &[("grpc-timeout", "hush")],
                "\"grpc-timeout\" belongs to the",
            ),
            (&[("token-bin", "hush")], "\"token-bin\" ends in -bin"),
            (&[("x-a", &long)], "its entries have 8195 bytes"),
        ] {
            let refusal = from_secret(&secret(entries)).expect_err("refused");
            assert!(refusal.starts_with(sentence), "{refusal}");
            assert!(!refusal.contains("hush"), "{refusal}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let data = [("x-a".to_owned(), ByteString(vec![0xff]))].into();
        assert!(from_secret(&data).is_err());
    }
}
