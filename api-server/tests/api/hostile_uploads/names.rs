//! Names of files: paths, control characters, Unicode.

use super::raw::{form, form_of, put};
use super::{Row, row};

#[rustfmt::skip] // One row a line.
pub fn rows() -> Vec<Row> {
    let named = |name: &str| {
        put(
            &[],
            &form(&format!("name=\"file\"; filename=\"{name}\""), b"x"),
        )
    };
    let bytes = |name: &[u8]| {
        let disposition = [b"name=\"file\"; filename=\"", name, b"\""].concat();
        put(&[], &form_of(&disposition, "", b"x"))
    };
    let with = |disposition: &str| put(&[], &form(disposition, b"x"));
    vec![
        row("a path upwards, `../../etc/passwd`", named("../../etc/passwd"), "201 `passwd` application/octet-stream"),
        row("the same with backslashes", named("..\\..\\boot.ini"), "201 `boot.ini` application/octet-stream"),
        row("the same with backslashes escaped", named("..\\\\..\\\\boot.ini"), "201 `boot.ini` application/octet-stream"),
        row("an absolute path", named("/etc/shadow"), "201 `shadow` application/octet-stream"),
        row("a path with a drive", named("C:\\Windows\\evil.dll"), "201 `evil.dll` application/octet-stream"),
        row("a path on another machine", named("\\\\host\\share\\a.txt"), "201 `a.txt` application/octet-stream"),
        row("a path in percent-encoding", named("%2e%2e%2fpasswd"), "201 `%2e%2e%2fpasswd` application/octet-stream"),
        row("a path in percent-encoding, twice", named("%252e%252e%252fpasswd"), "201 `%252e%252e%252fpasswd` application/octet-stream"),
        row("a slash as overlong UTF-8", bytes(b"..\xc0\xafpasswd"), "422 unprocessable"),
        row("a full-width slash (U+FF0F)", named("..\u{ff0f}passwd"), "201 `..\\u{ff0f}passwd` application/octet-stream"),
        row("`..`", named(".."), "422 unprocessable"),
        row("`.`", named("."), "422 unprocessable"),
        row("a folder, `a/`", named("a/"), "422 unprocessable"),
        row("an empty name", named(""), "422 unprocessable"),
        row("blanks only", named("   "), "422 unprocessable"),
        row("a hidden file, `.htaccess`", named(".htaccess"), "201 `.htaccess` application/octet-stream"),
        row("a device of Windows, `CON`", named("CON"), "201 `CON` application/octet-stream"),
        row("an alternate stream of Windows", named("a.txt::$DATA"), "201 `a.txt::$DATA` application/octet-stream"),
        row("markup", named("<script>alert(1)</script>.txt"), "201 `script>.txt` application/octet-stream"),
        row("SQL", named("'; DROP TABLE document_metadata; --"), "201 `\\'; DROP TABLE document_metadata; --` application/octet-stream"),
        row("a shell command", named("$(reboot).txt"), "201 `$(reboot).txt` application/octet-stream"),
        row("a quote, escaped", named("a\\\"b.txt"), "201 `a\\\"b.txt` application/octet-stream"),
        row("NUL inside", bytes(b"a.txt\0.png"), "400 bad-request"),
        row("a control character (U+0001)", bytes(b"a\x01b.txt"), "400 bad-request"),
        row("DEL", bytes(b"a\x7fb.txt"), "400 bad-request"),
        row("a tab", bytes(b"a\tb.txt"), "201 `ab.txt` application/octet-stream"),
        row("a line break and a header", named("a.txt\"\r\nX-Evil: \"1"), "201 `a.txt` application/octet-stream"),
        row("a bare line feed", named("a\nb.txt"), "400 bad-request"),
        row("a C1 control character (U+0085)", named("a\u{85}b.txt"), "201 `ab.txt` application/octet-stream"),
        row("a line separator (U+2028)", named("a\u{2028}b.txt"), "201 `ab.txt` application/octet-stream"),
        row("255 characters", named(&"a".repeat(255)), "201 255 characters application/octet-stream"),
        row("256 characters", named(&"a".repeat(256)), "422 unprocessable"),
        row("255 characters of two bytes", named(&"ż".repeat(255)), "201 255 characters application/octet-stream"),
        row("10,000 characters", named(&"a".repeat(10_000)), "422 unprocessable"),
        row("letters turned around (U+202E), `gpj.exe` as if `exe.jpg`", named("\u{202e}gpj.exe"), "201 `gpj.exe` application/octet-stream"),
        row("isolates (U+2066, U+2069)", named("a\u{2066}b\u{2069}.txt"), "201 `ab.txt` application/octet-stream"),
        row("a byte order mark", named("\u{feff}a.txt"), "201 `a.txt` application/octet-stream"),
        row("an umlaut in one character (NFC)", named("\u{e4}.txt"), "201 `\\u{e4}.txt` application/octet-stream"),
        row("an umlaut in two characters (NFD)", named("a\u{308}.txt"), "201 `a\\u{308}.txt` application/octet-stream"),
        row("a hundred accents on one letter", named(&format!("a{}", "\u{301}".repeat(100))), "201 101 characters application/octet-stream"),
        row("letters of another script that look the same", named("p\u{430}ypal.txt"), "201 `p\\u{430}ypal.txt` application/octet-stream"),
        row("an emoji of several, with joiners", named("\u{1f468}\u{200d}\u{1f469}.txt"), "201 `\\u{1f468}\\u{200d}\\u{1f469}.txt` application/octet-stream"),
        row("half a surrogate pair", bytes(b"a\xed\xa0\x80.txt"), "422 unprocessable"),
        row("a byte that is no UTF-8", bytes(b"a\xff.txt"), "422 unprocessable"),
        row("Latin-1", bytes(b"caf\xe9.txt"), "422 unprocessable"),
        row("no name at all", with("name=\"file\""), "422 unprocessable"),
        row("a name without quotes", with("name=\"file\"; filename=a.txt"), "201 `a.txt` application/octet-stream"),
        row("two names", with("name=\"file\"; filename=\"a.txt\"; filename=\"b.txt\""), "201 `a.txt` application/octet-stream"),
        row("`filename*` alone (RFC 7578 forbids it)", with("name=\"file\"; filename*=UTF-8''%2e%2e%2fa.txt"), "422 unprocessable"),
        row("`filename` and another `filename*`", with("name=\"file\"; filename=\"a.txt\"; filename*=UTF-8''b.exe"), "201 `a.txt` application/octet-stream"),
        row("a quote that is not closed", with("name=\"file\"; filename=\"a.txt"), "422 unprocessable"),
    ]
}
