//! HTTP itself: heads, lengths, framing.

use super::raw::{form, head, put, staying};
use super::{Row, row};

const FORM: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=b");

#[rustfmt::skip] // One row a line.
pub fn rows() -> Vec<Row> {
    let body = form("name=\"file\"; filename=\"a.txt\"", b"x");
    let good = put(&[], &body);
    let length = body.len();
    let edited = |from: &str, to: &str| {
        let text = String::from_utf8(good.clone()).expect("UTF-8");
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let framed = |headers: &[(&str, &str)], body: &[u8]| {
        let mut sent = head(&[&[FORM], headers].concat());
        sent.extend_from_slice(b"\r\n");
        sent.extend_from_slice(body);
        sent
    };
    let chunked = |body: &[u8]| framed(&[("Transfer-Encoding", "chunked")], body);
    let text = String::from_utf8(body.clone()).expect("UTF-8");
    let chunks = format!("{length:x}\r\n{text}\r\n0\r\n\r\n");
    let announced = |value: &str| framed(&[("Content-Length", value)], &body);
    let many: Vec<(&str, &str)> = vec![("X-A", "b"); 200];
    let large = "a".repeat(10_000_000);
    let zeros = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
    let smuggled = format!(
        "0\r\n\r\nGET /livez HTTP/1.1\r\nHost: docket\r\nConnection: close\r\n\r\n{text}"
    );
    vec![
        row("a header of 10 MB", put(&[("X-A", &large)], &body), "431"),
        row("200 headers", put(&many, &body), "431"),
        row("a key of 1 MB", edited("globex-key", &"a".repeat(1_000_000)), "431"),
        row("a request line of 1 MB", edited("/upload-document", &format!("/{}", "a".repeat(1_000_000))), "431"),
        row("NUL in a header", put(&[("X-A", "a\0b")], &body), "400"),
        row("a header that goes on in the next line", put(&[("X-A", "a\r\n b")], &body), "400"),
        row("a blank before a header's colon", put(&[("X-A ", "b")], &body), "400"),
        row("a header without a colon", edited("Host: docket\r\n", "Host: docket\r\nnonsense\r\n"), "400"),
        row("no `Host`", edited("Host: docket\r\n", ""), "400 bad-request"),
        row("two `Host`", edited("Host: docket\r\n", "Host: docket\r\nHost: other\r\n"), "400 bad-request"),
        row("another `Host`", edited("Host: docket", "Host: evil.example"), "201 `a.txt` application/octet-stream"),
        row("HTTP/1.0", edited("HTTP/1.1", "HTTP/1.0"), "201 `a.txt` application/octet-stream"),
        row("HTTP/0.9", edited(" HTTP/1.1\r\n", "\r\n"), "400"),
        row("HTTP/3.0", edited("HTTP/1.1", "HTTP/3.0"), "400"),
        row("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), "closed"),
        row("the first bytes of TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n".to_vec(), "400"),
        row("an absolute target", edited("PUT /", "PUT http://docket/"), "201 `a.txt` application/octet-stream"),
        row("an absolute target of another host", edited("PUT /", "PUT http://evil.example/"), "201 `a.txt` application/octet-stream"),
        row("the target `*`", edited("/clients/globex/upload-document", "*"), "404 no-route"),
        row("a path upwards", edited("/clients/globex/", "/clients/initech/../globex/"), "404 no-route"),
        row("a path upwards, encoded", edited("/clients/globex/", "/clients/initech%2f..%2fglobex/"), "403 api-key-refused"),
        row("two slashes", edited("/clients/", "//clients/"), "404 no-route"),
        row("a slash at the end", edited("/upload-document", "/upload-document/"), "404 no-route"),
        row("NUL in the path", edited("/globex/", "/globex%00/"), "403 api-key-refused"),
        row("a path that is no UTF-8", edited("/globex/", "/globex%ff/"), "400 bad-request"),
        row("a client in capitals", edited("/globex/", "/GLOBEX/"), "403 api-key-refused"),
        row("another client", edited("/globex/", "/initech/"), "403 api-key-refused"),
        row("POST", edited("PUT", "POST"), "405 method-not-allowed"),
        row("`put`", edited("PUT", "put"), "405 method-not-allowed"),
        row("TRACE", edited("PUT", "TRACE"), "405 method-not-allowed"),
        row("CONNECT", edited("PUT", "CONNECT"), "405 method-not-allowed"),
        row("PUT, said to be GET", edited("Host:", "X-HTTP-Method-Override: GET\r\nHost:"), "201 `a.txt` application/octet-stream"),
        row("no key", edited("X-API-Key: globex-key\r\n", ""), "401 api-key-missing"),
        row("two keys, the first right", edited("X-API-Key: globex-key", "X-API-Key: globex-key\r\nX-API-Key: other"), "201 `a.txt` application/octet-stream"),
        row("two keys, the second right", edited("X-API-Key: globex-key", "X-API-Key: other\r\nX-API-Key: globex-key"), "403 api-key-refused"),
        row("both keys in one header", edited("globex-key", "globex-key, initech-key"), "403 api-key-refused"),
        row("a key with blanks around it", edited("globex-key", "  globex-key  "), "201 `a.txt` application/octet-stream"),
        row("a key that is no UTF-8", [&b"PUT /clients/globex/upload-document HTTP/1.1\r\nHost: a\r\nX-API-Key: \xff\r\nContent-Length: 0\r\n\r\n"[..]].concat(), "403 api-key-refused"),
        row("no length and no chunks", framed(&[], &body), "400 bad-request"),
        row("a negative length", announced("-1"), "400"),
        row("a length with a sign", announced(&format!("+{length}")), "400"),
        row("a length that is no number", announced("abc"), "400"),
        row("a length of 20 digits", announced("99999999999999999999"), "400"),
        row("a length over the limit", announced("30000000"), "413 too-large"),
        row("two lengths that differ", framed(&[("Content-Length", "5"), ("Content-Length", &length.to_string())], &body), "400"),
        row("two lengths that agree", framed(&[("Content-Length", &length.to_string()), ("Content-Length", &length.to_string())], &body), "201 `a.txt` application/octet-stream"),
        row("chunks", chunked(chunks.as_bytes()), "201 `a.txt` application/octet-stream"),
        row("a chunk whose size is no number", chunked(b"zz\r\nx\r\n0\r\n\r\n"), "400 bad-request"),
        row("a chunk whose size is negative", chunked(b"-1\r\nx\r\n0\r\n\r\n"), "400 bad-request"),
        row("a chunk whose size overflows", chunked(b"fffffffffffffffff\r\nx\r\n0\r\n\r\n"), "400 bad-request"),
        row("a chunk that is longer than its size", chunked(format!("5\r\n{text}\r\n0\r\n\r\n").as_bytes()), "400 bad-request"),
        row("a chunk extension of 1 MB", chunked(format!("{length:x};{}\r\n{text}\r\n0\r\n\r\n", "a".repeat(1_000_000)).as_bytes()), "400 bad-request"),
        row("trailers of 1 MB", chunked(format!("{length:x}\r\n{text}\r\n0\r\nX-A: {}\r\n\r\n", "a".repeat(1_000_000)).as_bytes()), "400 bad-request"),
        row("chunks that stop in the file", chunked(format!("{length:x}\r\n{}", &text[..length - 10]).as_bytes()), "408 client-too-slow"),
        row("chunks and a length, and a request behind (smuggling)", staying(framed(&[("Content-Length", &smuggled.len().to_string()), ("Transfer-Encoding", "chunked")], smuggled.as_bytes())), "400 bad-request"),
        row("a length and chunks in another case", framed(&[("Content-Length", &length.to_string()), ("Transfer-Encoding", "Chunked")], chunks.as_bytes()), "201 `a.txt` application/octet-stream"),
        row("`Transfer-Encoding: xchunked`", framed(&[("Transfer-Encoding", "xchunked")], chunks.as_bytes()), "400"),
        row("`Transfer-Encoding: chunked, identity`", framed(&[("Transfer-Encoding", "chunked, identity")], chunks.as_bytes()), "400"),
        row("`Transfer-Encoding: gzip, chunked`", framed(&[("Transfer-Encoding", "gzip, chunked")], chunks.as_bytes()), "400 bad-request"),
        row("`Content-Encoding: gzip`", put(&[("Content-Encoding", "gzip")], &body), "415 unsupported-media-type"),
        row("`Expect: 100-continue`", put(&[("Expect", "100-continue")], &body), "100, then 201 `a.txt` application/octet-stream"),
        row("`Expect: 100-continue` over the limit", framed(&[("Expect", "100-continue"), ("Content-Length", "30000000")], b""), "413 too-large"),
        row("`Expect: nonsense`", put(&[("Expect", "nonsense")], &body), "201 `a.txt` application/octet-stream"),
        row("`Upgrade: h2c`", put(&[("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")], &body), "201 `a.txt` application/octet-stream"),
        row("a wrong `Repr-Digest`", put(&[("Repr-Digest", zeros)], &body), "400 bad-request"),
        row("a wrong `Content-Digest`", put(&[("Content-Digest", zeros)], &body), "400 bad-request"),
        row("a `Repr-Digest` that is none", put(&[("Repr-Digest", "sha-256=oops")], &body), "400 bad-request"),
        row("a `Repr-Digest` of another algorithm", put(&[("Repr-Digest", "md5=:AAAA:")], &body), "201 `a.txt` application/octet-stream"),
        row("an `X-Request-ID` with markup", put(&[("X-Request-ID", "<script>")], &body), "201 `a.txt` application/octet-stream"),
        row("a `traceparent` that is none", put(&[("traceparent", "00-oops")], &body), "201 `a.txt` application/octet-stream"),
        row("a head that never ends", head(&[("X-A", "b")]), "closed"),
        row("two uploads at once", [staying(good.clone()), good.clone()].concat(), "201 `a.txt` application/octet-stream, then 201 `a.txt` application/octet-stream"),
        row("no request", Vec::new(), "closed"),
    ]
}
