//! Views as rows in the binary format of `COPY`, which Postgres neither plans nor converts.

use jiff::civil::{Date, date};

use crate::insertion::Views;
use crate::view::Seen;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// No flags, and no extension of the header.
const REST_OF_HEADER: [u8; 8] = [0; 8];
const END: i16 = -1;
/// Instead of a length.
const NULL: i32 = -1;
/// Postgres counts days from here.
const FIRST_DAY: Date = date(2000, 1, 1);
/// A row beside its texts: the number of columns, their lengths, day, document and visitor.
const FIXED: usize = 2 + 5 * 4 + 4 + 8 + 16;

/// `day`, `path`, `document_id`, `referrer` and `visitor` of each view that was seen.
pub(crate) fn encode<'a>(requests: impl Iterator<Item = &'a Views> + Clone) -> Vec<u8> {
    let size = requests.clone().flat_map(|views| &views.seen).map(size);
    let mut rows = Vec::with_capacity(32 + size.sum::<usize>());
    rows.extend(SIGNATURE);
    rows.extend(REST_OF_HEADER);
    for views in requests {
        let day = (views.day - FIRST_DAY).get_days().to_be_bytes();
        for seen in &views.seen {
            rows.extend(5_i16.to_be_bytes());
            column(&mut rows, Some(&day));
            column(&mut rows, seen.path.as_deref().map(str::as_bytes));
            let document = seen.document_id.map(i64::to_be_bytes);
            column(&mut rows, document.as_ref().map(<[u8; 8]>::as_slice));
            column(&mut rows, seen.referrer.as_deref().map(str::as_bytes));
            column(&mut rows, Some(&views.visitor));
        }
    }
    rows.extend(END.to_be_bytes());
    rows
}

fn size(seen: &Seen) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    FIXED + length(&seen.path) + length(&seen.referrer)
}

fn column(rows: &mut Vec<u8>, value: Option<&[u8]>) {
    let length = value.map_or(NULL, |value| {
        i32::try_from(value.len()).expect("a body has a megabyte at most")
    });
    rows.extend(length.to_be_bytes());
    rows.extend(value.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visitor::LENGTH;

    #[test]
    fn a_row_has_the_columns_in_their_order_each_with_its_length() {
        let views = Views {
            day: date(2000, 1, 3),
            visitor: [7; LENGTH],
            seen: vec![Seen {
                path: Some("/a".into()),
                document_id: Some(258),
                ..Seen::default()
            }],
            rejected: Vec::new(),
        };
        let expected = [
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".as_slice(),
            b"\0\x05",
            b"\0\0\0\x04\0\0\0\x02",
            b"\0\0\0\x02/a",
            b"\0\0\0\x08\0\0\0\0\0\0\x01\x02",
            b"\xff\xff\xff\xff",
            b"\0\0\0\x10\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07",
            b"\xff\xff",
        ];
        assert_eq!(encode([&views].into_iter()), expected.concat());
    }
}
