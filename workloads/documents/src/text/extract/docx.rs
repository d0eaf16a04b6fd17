//! Office Open XML of a word processor (ECMA-376): a ZIP with `word/document.xml` in it.

use std::io::{BufReader, Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::Event;

/// Bytes of XML that are read: what is beyond is left out, however large a ZIP says it is.
const MOST: u64 = 64 * 1024 * 1024;
const PART: &str = "word/document.xml";

/// The runs of text, a line a paragraph.
pub(super) fn text(file: &[u8]) -> Result<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).map_err(|error| error.to_string())?;
    let part = archive.by_name(PART).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_reader(BufReader::new(part.take(MOST)));
    let (mut text, mut buffer, mut in_text) = (String::new(), Vec::new(), false);
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(start)) => in_text = start.local_name().as_ref() == "t",
            Ok(Event::Empty(empty)) => match empty.local_name().as_ref() {
                "tab" => text.push('\t'),
                "br" | "cr" => text.push('\n'),
                _ => {}
            },
            Ok(Event::End(end)) => {
                in_text = false;
                if end.local_name().as_ref() == "p" {
                    text.push('\n');
                }
            }
            Ok(Event::Text(run)) if in_text => text.push_str(&run),
            Ok(Event::CData(run)) if in_text => text.push_str(&run),
            Ok(Event::GeneralRef(reference)) if in_text => text.extend(character(&reference)),
            Ok(Event::Eof) => return Ok(text),
            // What was read until then is text all the same.
            Err(_) if !text.is_empty() => return Ok(text),
            Err(error) => return Err(error.to_string()),
            Ok(_) => {}
        }
        if text.len() >= super::child::MOST_TEXT {
            return Ok(text);
        }
        buffer.clear();
    }
}

/// Only what XML itself defines: a DTD's own entities could be a bomb.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    match reference.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn docx(xml: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(PART, zip::write::SimpleFileOptions::default())
            .expect("a part");
        zip.write_all(xml.as_bytes()).expect("written");
        zip.finish().expect("a zip").into_inner()
    }

    #[test]
    fn the_runs_of_a_paragraph_are_a_line() {
        let file = docx(
            "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>An offer \
             </w:t></w:r><w:r><w:t>for A &amp; B</w:t><w:tab/><w:t>&#380;</w:t></w:r></w:p>\
             <w:p><w:r><w:instrText>HIDDEN</w:instrText><w:t>Second</w:t></w:r></w:p>\
             </w:body></w:document>",
        );
        assert_eq!(
            text(&file).expect("a text"),
            "An offer for A & B\tż\nSecond\n"
        );
    }

    #[test]
    fn what_is_no_document_says_why() {
        assert!(text(b"PK\x03\x04").is_err());
        assert!(text(&docx("<a><b></a>")).is_err());
    }
}
