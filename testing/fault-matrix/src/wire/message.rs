//! One message of the protocol: a letter, a length, and bytes.

use tokio::io::{AsyncRead, AsyncReadExt as _};

pub(super) const READY: u8 = b'Z';
pub(super) const ERROR: u8 = b'E';
pub(super) const TERMINATE: u8 = b'X';
pub(super) const QUERY: u8 = b'Q';
pub(super) const PARSE: u8 = b'P';
pub(super) const BIND: u8 = b'B';
const SYNC: u8 = b'S';

/// A message after the first of a connection.
#[derive(Debug)]
pub(super) struct Message {
    pub kind: u8,
    /// All of it, kind and length included.
    pub bytes: Vec<u8>,
}

impl Message {
    /// Reads one.
    ///
    /// Not for `select!` against another message of the same stream: half a message is lost.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Self> {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?;
        let mut bytes = vec![0; length as usize + 1];
        bytes[0] = kind;
        bytes[1..5].copy_from_slice(&length.to_be_bytes());
        stream.read_exact(&mut bytes[5..]).await?;
        Ok(Self { kind, bytes })
    }

    /// After it the server is to answer.
    pub fn ends_unit(&self) -> bool {
        matches!(self.kind, QUERY | SYNC | TERMINATE)
    }

    /// The zero-ended strings that it starts with.
    pub fn strings(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes[5..].split(|byte| *byte == 0)
    }
}

/// An ErrorResponse.
pub(super) fn error(severity: &str, code: &str, text: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0V{severity}\0C{code}\0M{text}\0\0");
    framed(ERROR, fields.as_bytes())
}

/// A ReadyForQuery outside a transaction.
pub(super) fn ready() -> Vec<u8> {
    framed(READY, b"I")
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}
