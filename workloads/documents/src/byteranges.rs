//! The body of an answer with several parts: `multipart/byteranges` (RFC 9110, 14.6).

use std::ops::Range;

use bytes::Bytes;
use uuid::Uuid;

/// What stands around the parts.
#[derive(Debug)]
pub(super) struct Envelope {
    boundary: String,
    /// What comes before each part.
    pub(super) heads: Vec<Bytes>,
    /// What comes after the last one.
    pub(super) end: Bytes,
    /// Bytes of the body, the parts included.
    pub(super) length: u64,
}

impl Envelope {
    /// For `parts` of `size` bytes of this media type.
    pub(super) fn new(parts: &[Range<u64>], size: u64, media_type: &str) -> Self {
        Self::with_boundary(Uuid::new_v4().simple().to_string(), parts, size, media_type)
    }

    fn with_boundary(boundary: String, parts: &[Range<u64>], size: u64, media_type: &str) -> Self {
        let head = |part: &Range<u64>| {
            let (first, last) = (part.start, part.end - 1);
            Bytes::from(format!(
                "\r\n--{boundary}\r\nContent-Type: {media_type}\r\n\
                 Content-Range: bytes {first}-{last}/{size}\r\n\r\n"
            ))
        };
        let heads: Vec<Bytes> = parts.iter().map(head).collect();
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let around: usize = heads.iter().map(Bytes::len).sum::<usize>() + end.len();
        let inside: u64 = parts.iter().map(|part| part.end - part.start).sum();
        Self {
            boundary,
            heads,
            end,
            length: around as u64 + inside,
        }
    }

    /// The media type of the whole answer.
    pub(super) fn media_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_as_in_the_rfc_and_its_length_is_right() {
        let parts = [500..1000, 7000..8000];
        let envelope = Envelope::with_boundary("B".into(), &parts, 8000, "application/pdf");
        assert_eq!(envelope.media_type(), "multipart/byteranges; boundary=B");
        let heads: Vec<&[u8]> = envelope.heads.iter().map(Bytes::as_ref).collect();
        assert_eq!(
            heads,
            [
                b"\r\n--B\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-999/8000\r\n\r\n".as_slice(),
                b"\r\n--B\r\nContent-Type: application/pdf\r\nContent-Range: bytes 7000-7999/8000\r\n\r\n",
            ]
        );
        assert_eq!(envelope.end, "\r\n--B--\r\n");
        let around = heads.iter().map(|head| head.len()).sum::<usize>() + envelope.end.len();
        assert_eq!(envelope.length, around as u64 + 1500);
    }
}
