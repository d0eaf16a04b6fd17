//! Files that are not what they seem.

use super::raw::{form_of, put};
use super::{Row, row};

#[rustfmt::skip] // One row a line.
pub fn rows() -> Vec<Row> {
    let file = |name: &str, media_type: &str, content: &[u8]| {
        let disposition = format!("name=\"file\"; filename=\"{name}\"");
        let header = match media_type {
            "" => String::new(),
            _ => format!("Content-Type: {media_type}\r\n"),
        };
        put(&[], &form_of(disposition.as_bytes(), &header, content))
    };
    let html = b"<!DOCTYPE html><script>alert(1)</script>";
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let xml = b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    let eicar = concat!(
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$",
        "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    );
    vec![
        row("0 bytes", file("a.txt", "text/plain", b""), "201 `a.txt` text/plain"),
        row("1 byte", file("a.bin", "", b"\0"), "201 `a.bin` application/octet-stream"),
        row("a GIF that is JavaScript too", file("a.js", "text/javascript", b"GIF89a/*\x01\0\x01\0*/=1;alert(1)"), "201 `a.js` image/gif"),
        row("a PDF that is a zip too", file("a.pdf", "application/zip", b"%PDF-1.7\nPK\x03\x04\x14\0\0\0\x08\0"), "201 `a.pdf` application/pdf"),
        row("a zip bomb: 42 kB that say they are 4 GB", file("a.zip", "application/zip", &bomb()), "201 `a.zip` application/zip"),
        row("HTML as a PNG", file("a.png", "image/png", html), "201 `a.png` text/html"),
        row("a PNG as HTML", file("a.html", "text/html", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "201 `a.html` image/png"),
        row("HTML as text", file("a.txt", "text/plain", html), "201 `a.txt` text/plain"),
        row("HTML without a type", file("a", "", html), "201 `a` text/html"),
        row("SVG with a script", file("a.svg", "image/svg+xml", svg), "201 `a.svg` image/svg+xml"),
        row("XML that names a file of the server", file("a.xml", "application/xml", xml), "201 `a.xml` application/xml"),
        row("a program of Windows as text", file("a.txt", "text/plain", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"), "201 `a.txt` application/vnd.microsoft.portable-executable"),
        row("a program of Linux as a picture", file("a.jpg", "image/jpeg", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "201 `a.jpg` application/x-executable"),
        row("a shell script as a PDF", file("a.pdf", "application/pdf", b"#!/bin/sh\nreboot\n"), "201 `a.pdf` text/x-shellscript"),
        row("the test file of virus scanners", file("a.com", "", eicar.as_bytes()), "201 `a.com` application/octet-stream"),
        row("lines that look like boundaries", file("a.txt", "text/plain", b"--\r\n--c\r\n--bb\r\n--b --b--"), "400 bad-request"),
        row("a type that is none", file("a.txt", "nonsense", b"x"), "201 `a.txt` application/octet-stream"),
        row("a type with markup", file("a.txt", "text/\"><script>", b"x"), "201 `a.txt` application/octet-stream"),
        row("a type of 10,000 characters", file("a.txt", &format!("text/{}", "a".repeat(10_000)), b"x"), "201 `a.txt` application/octet-stream"),
        row("a type that would run in a browser", file("a.txt", "text/html; charset=utf-7", b"+ADw-script+AD4-"), "201 `a.txt` text/html; charset=utf-7"),
        row("a type of several", file("a.txt", "multipart/form-data; boundary=b", b"x"), "201 `a.txt` multipart/form-data; boundary=b"),
    ]
}

/// The local header of an entry of 4 GB, and zeros deflated.
fn bomb() -> Vec<u8> {
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    zip.extend_from_slice(&42_000_u32.to_le_bytes());
    zip.extend_from_slice(&u32::MAX.to_le_bytes());
    zip.extend_from_slice(b"\x01\0\0\0a");
    zip.resize(42_000, 0);
    zip
}
