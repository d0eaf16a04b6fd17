//! As much of a mail server (RFC 5321) as it takes to be sent mail.

use std::io;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::messages::Messages;

/// Takes mail for as long as it is polled.
pub(crate) async fn serve(listener: TcpListener, messages: Messages) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let messages = messages.clone();
        // Who hangs up in the middle has sent nothing.
        tokio::spawn(async move { converse(stream, &messages).await });
    }
}

async fn converse(stream: TcpStream, messages: &Messages) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to) = (String::new(), String::new());
    stream.write_all(b"220 receivers ESMTP\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let said = line.trim_end();
        let (verb, rest) = said.split_once([' ', ':']).unwrap_or((said, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "MAIL" => {
                from = address(rest);
                "250 ok"
            }
            "RCPT" => {
                to = address(rest);
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 end with a dot\r\n").await?;
                let text = decoded(&data(&mut stream).await?);
                messages.take("email", json!({"from": from, "to": to, "text": text}));
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// `TO:<a@b> SIZE=1` → `a@b`.
fn address(text: &str) -> String {
    let inner = text
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(text, |(address, _)| address).to_owned()
}

/// The lines up to a lone dot; a dot that begins a line is doubled on its way.
async fn data(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "." => return Ok(text),
            _ => text.push_str(line.strip_prefix('.').unwrap_or(&line)),
        }
    }
}

/// Without the quotes of `quoted-printable` (RFC 2045, 6.7); a header has none that matter.
fn decoded(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'=')
            .and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_is_undone() {
        let text = "a =3D b, a long l=\r\nine, =C3=A9 and a lone =.\r\n";
        assert_eq!(decoded(text), "a = b, a long line, é and a lone =.\r\n");
    }

    #[test]
    fn an_address_is_what_is_in_brackets() {
        assert_eq!(address("FROM:<a@b.c> SIZE=1"), "a@b.c");
    }
}
