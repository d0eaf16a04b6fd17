//! Multipart bodies that are wrong, or right in ways that nobody needs.

use super::raw::{form, form_of, head, part, put, put_as, staying};
use super::{Row, Then, row};

const FILE: &str = "name=\"file\"; filename=\"a.txt\"";
const BASE64: &str = "Content-Transfer-Encoding: base64\r\n";
const WRONG_DIGEST: &str =
    "Repr-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:\r\n";
const NESTED: &str = "Content-Type: multipart/mixed; boundary=c\r\n";
const INNER: &[u8] = b"--c\r\nContent-Disposition: attachment; filename=\"b\"\r\n\r\ny\r\n--c--";

#[rustfmt::skip] // One row a line.
pub fn rows() -> Vec<Row> {
    let good = form(FILE, b"x");
    let text = String::from_utf8(good.clone()).expect("UTF-8");
    let one = part(FILE.as_bytes(), "", b"x");
    let with = |headers: &str| put(&[], &form_of(FILE.as_bytes(), headers, b"x"));
    let under = |boundary: &str| {
        let body = text.replace("--b", &format!("--{boundary}"));
        put_as(&format!("multipart/form-data; boundary={boundary}"), &[], body.as_bytes())
    };
    let other = |name: &str| put(&[], &form(&format!("{name}; filename=\"a.txt\""), b"x"));
    let many: Vec<u8> = (0..5_000)
        .flat_map(|n| part(format!("name=\"f{n}\"").as_bytes(), "", b""))
        .chain(good.iter().copied())
        .collect();
    let large = vec![b'x'; 15_000_000];
    let mut gone = head(&[("Content-Type", "multipart/form-data; boundary=b"), ("Content-Length", "1000")]);
    gone.extend_from_slice(b"\r\n");
    gone.extend_from_slice(&one);
    let left = row("fewer bytes than `Content-Length`, then the end", gone.clone(), "400 bad-request");
    let mut longer = staying(put(&[], &good));
    longer.extend_from_slice(b"more than was announced\r\n\r\n");
    vec![
        row("no boundary", put_as("multipart/form-data", &[], &good), "400 bad-request"),
        row("an empty boundary", put_as("multipart/form-data; boundary=", &[], &good), "400 bad-request"),
        row("a boundary of 70 characters", under(&"c".repeat(70)), "201 `a.txt` application/octet-stream"),
        row("a boundary of 71 characters, one more than RFC 2046 allows", under(&"c".repeat(71)), "201 `a.txt` application/octet-stream"),
        row("a boundary of 1000 characters", under(&"c".repeat(1000)), "201 `a.txt` application/octet-stream"),
        row("a boundary that is not in the body", put_as("multipart/form-data; boundary=other", &[], &good), "400 bad-request"),
        row("two boundaries in `Content-Type`", put_as("multipart/form-data; boundary=b; boundary=c", &[], &good), "201 `a.txt` application/octet-stream"),
        row("no body", put(&[], b""), "400 bad-request"),
        row("an end and no part", put(&[], b"--b--\r\n"), "400 bad-request"),
        row("no end", put(&[], &one), "400 bad-request"),
        row("an end in the middle of a part's headers", put(&[], b"--b\r\nContent-Disposition: form-da"), "400 bad-request"),
        Row { then: Then::Leaves, ..left },
        row("fewer bytes than `Content-Length`, then silence", gone, "408 client-too-slow"),
        row("more bytes than `Content-Length`", longer, "201 `a.txt` application/octet-stream, then 400"),
        row("two fields `file`", put(&[], &[&one[..], &good].concat()), "400 bad-request"),
        row("a field `File`", other("name=\"File\""), "400 bad-request"),
        row("a field `file[]`", other("name=\"file[]\""), "400 bad-request"),
        row("a field ` file`", other("name=\" file\""), "400 bad-request"),
        row("a field without a name", other("x=y"), "400 bad-request"),
        row("a field with two names", other("name=\"note\"; name=\"file\""), "400 bad-request"),
        row("5,000 other fields first", put(&[], &many), "201 `a.txt` application/octet-stream"),
        row("another field of 15 MB first", put(&[], &[&part(b"name=\"note\"", "", &large)[..], &good].concat()), "400 bad-request"),
        row("a preamble of 15 MB", put(&[], &[&large[..], b"\r\n", &good].concat()), "400 bad-request"),
        row("a header of 15 MB in the part", put(&[], &[b"--b\r\nX-A: ", &large[..]].concat()), "400 bad-request"),
        row("a header of 100 kB in the part", with(&format!("X-A: {}\r\n", "a".repeat(100_000))), "201 `a.txt` application/octet-stream"),
        row("31 headers in the part", with(&"X-A: b\r\n".repeat(30)), "201 `a.txt` application/octet-stream"),
        row("101 headers in the part", with(&"X-A: b\r\n".repeat(100)), "400 bad-request"),
        row("a header without a colon in the part", with("nonsense\r\n"), "400 bad-request"),
        row("a part without headers", put(&[], b"--b\r\n\r\nx\r\n--b--\r\n"), "400 bad-request"),
        row("line feeds alone", put(&[], text.replace("\r\n", "\n").as_bytes()), "400 bad-request"),
        row("a preamble", put(&[], &[b"hello\r\n", &good[..]].concat()), "201 `a.txt` application/octet-stream"),
        row("an epilogue of 1 MB", put(&[], &[&good[..], &large[..1_000_000]].concat()), "201 `a.txt` application/octet-stream"),
        row("a multipart inside the part", put(&[], &form_of(FILE.as_bytes(), NESTED, INNER)), "201 `a.txt` multipart/mixed; boundary=c"),
        row("`Content-Transfer-Encoding: base64` (kept as it was sent, RFC 7578, 4.7)", put(&[], &form_of(FILE.as_bytes(), BASE64, b"eA==")), "201 `a.txt` application/octet-stream"),
        row("a wrong digest of the file in the part", with(WRONG_DIGEST), "400 bad-request"),
        row("another type, `application/x-www-form-urlencoded`", put_as("application/x-www-form-urlencoded", &[], b"file=x"), "415 unsupported-media-type"),
        row("another type, `multipart/mixed`", put_as("multipart/mixed; boundary=b", &[], &good), "415 unsupported-media-type"),
        row("an empty type", put_as("", &[], &good), "415 unsupported-media-type"),
        row("two types", put(&[("Content-Type", "text/plain")], &good), "415 unsupported-media-type"),
    ]
}
