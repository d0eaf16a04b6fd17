//! PDF.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, PlainTextOutput, output_doc_page};

/// Pages that are read.
const PAGES: usize = 2000;

/// The text of all pages that can be read; those that cannot are left out.
pub(super) fn text(file: &[u8]) -> Result<String, String> {
    let document = Document::load_mem(file).map_err(|error| error.to_string())?;
    if document.is_encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let pages: Vec<u32> = document.get_pages().into_keys().take(PAGES).collect();
    let (mut text, mut failed) = (String::new(), 0);
    for page in &pages {
        // The reader panics on what it does not know, such as a kind of font.
        let read = catch_unwind(AssertUnwindSafe(|| {
            let mut page_text = String::new();
            let mut output = PlainTextOutput::new(&mut page_text);
            output_doc_page(&document, &mut output, *page).map(|()| page_text)
        }));
        match read {
            Ok(Ok(page_text)) => text.push_str(&page_text),
            _ => failed += 1,
        }
        text.push('\n');
        if text.len() >= super::child::MOST_TEXT {
            break;
        }
    }
    match failed == pages.len() && failed > 0 {
        true => Err(format!("none of its {failed} pages can be read")),
        false => Ok(text),
    }
}
