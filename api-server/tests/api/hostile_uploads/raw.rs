//! Requests as bytes, and what comes back for them as a short text.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Then;

/// Longer than every limit of the server under test.
const PATIENCE: Duration = Duration::from_secs(20);

/// The request line and the headers that every upload has; the connection ends with the answer.
pub fn head(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = "PUT /clients/globex/upload-document HTTP/1.1\r\nHost: docket\r\n\
                    X-API-Key: globex-key\r\nConnection: close\r\n"
        .to_owned();
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head.into_bytes()
}

/// An upload with `body` under the boundary `b`, and more headers.
pub fn put(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    put_as("multipart/form-data; boundary=b", headers, body)
}

/// The same with another `Content-Type`.
pub fn put_as(content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut sent = head(headers);
    let length = body.len();
    let last = format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n");
    sent.extend_from_slice(last.as_bytes());
    sent.extend_from_slice(body);
    sent
}

/// The same request on a connection that stays.
pub fn staying(sent: Vec<u8>) -> Vec<u8> {
    let close = b"Connection: close\r\n";
    let at = sent.windows(close.len()).position(|line| line == close);
    let at = at.expect("a header");
    [&sent[..at], &sent[at + close.len()..]].concat()
}

/// A whole body of one part.
pub fn form(disposition: &str, content: &[u8]) -> Vec<u8> {
    form_of(disposition.as_bytes(), "", content)
}

/// The same with any bytes in the disposition, and more headers of the part.
pub fn form_of(disposition: &[u8], headers: &str, content: &[u8]) -> Vec<u8> {
    let mut body = part(disposition, headers, content);
    body.extend_from_slice(b"--b--\r\n");
    body
}

/// One part, without the end.
pub fn part(disposition: &[u8], headers: &str, content: &[u8]) -> Vec<u8> {
    [
        b"--b\r\nContent-Disposition: form-data; ",
        disposition,
        b"\r\n",
        headers.as_bytes(),
        b"\r\n",
        content,
        b"\r\n",
    ]
    .concat()
}

/// Sends the bytes over a new connection and tells each answer: `201 <name> <type>` for what is stored,
/// `<status> <kind>` for a problem, `<status>` for an answer without a body; `closed` without any.
pub async fn say(address: SocketAddr, sent: &[u8], then: Then) -> String {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut from, mut to) = stream.into_split();
    let mut arrived = Vec::new();
    let write = async {
        // A server that has answered may close before it has read all.
        let _ = to.write_all(sent).await;
        match then {
            Then::Waits => std::future::pending().await,
            Then::Leaves => {
                let _ = to.shutdown().await;
                std::future::pending::<()>().await;
            }
        }
    };
    let read = async {
        let mut answers = Vec::new();
        loop {
            let mut chunk = [0; 8192];
            // A reset is an end too: what was answered before it counts.
            let read = from.read(&mut chunk).await.unwrap_or_default();
            arrived.extend_from_slice(&chunk[..read]);
            while let Some((answer, length)) = first_answer(&arrived) {
                answers.push(answer);
                arrived.drain(..length);
            }
            if read == 0 {
                return answers;
            }
        }
    };
    let exchange = async {
        tokio::select! {
            answers = read => answers,
            () = write => unreachable!("it never ends"),
        }
    };
    let answers = tokio::time::timeout(PATIENCE, exchange).await;
    match answers.expect("an answer in time") {
        answers if answers.is_empty() => "closed".into(),
        answers => answers.join(", then "),
    }
}

/// The answer that `arrived` starts with, once it is whole, and its length.
fn first_answer(arrived: &[u8]) -> Option<(String, usize)> {
    let end = arrived.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&arrived[..end]).expect("a head in ASCII");
    let status = head.split(' ').nth(1).expect("a status");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse::<usize>().expect("a number"))
    });
    let whole = end + length.unwrap_or_default();
    let body = arrived.get(end..whole)?;
    Some((tell(status, body), whole))
}

fn tell(status: &str, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let metadata = &json["metadata"];
    if let (Some(name), Some(media_type)) = (
        metadata["filename"].as_str(),
        metadata["file_type"].as_str(),
    ) {
        let name = match name.chars().count() {
            length @ 50.. => format!("{length} characters"),
            _ => format!("`{}`", name.escape_default()),
        };
        return format!("{status} {name} {media_type}");
    }
    match json["type"].as_str() {
        Some(kind) => {
            assert_eq!(json["status"].to_string(), status);
            format!(
                "{status} {}",
                kind.trim_start_matches("urn:docket:problem:")
            )
        }
        None => status.to_owned(),
    }
}
