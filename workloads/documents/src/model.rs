//! A document as it is stored and as it is shown.

use docket_platform::timestamp::microseconds;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FileType, Filename};

/// A document that is about to be recorded; its content is in the object store already.
#[derive(Clone, Debug)]
pub(crate) struct NewDocument {
    pub(crate) filename: Filename,
    pub(crate) file_size: u64,
    pub(crate) file_type: FileType,
    pub(crate) content_key: Uuid,
    pub(crate) sha256: [u8; 32],
}

/// A recorded document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Document {
    #[schema(minimum = 1, example = 5)]
    pub(crate) id: i64,
    #[schema(example = "globex")]
    pub(crate) client_id: String,
    #[schema(min_length = 1, max_length = 255, example = "offer.txt")]
    pub(crate) filename: String,
    /// In bytes.
    #[schema(minimum = 0, example = 50)]
    pub(crate) file_size: i64,
    /// A media type: what the bytes show.
    #[schema(max_length = 255, example = "text/plain")]
    pub(crate) file_type: String,
    /// In UTC, with six digits of a second.
    #[serde(serialize_with = "microseconds")]
    #[schema(value_type = String, format = DateTime, example = "2025-08-20T08:10:48.108442Z")]
    pub(crate) upload_timestamp: Timestamp,
    #[serde(serialize_with = "lower_hex")]
    #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
    pub(crate) sha256: Vec<u8>,
    /// Counts the contents that it has had, from 1.
    #[schema(minimum = 1)]
    pub(crate) version: i32,
    /// The last change of anything that is shown here.
    #[serde(serialize_with = "microseconds")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) modified_timestamp: Timestamp,
    /// Sorted.
    pub(crate) tags: Vec<String>,
    /// While it is set, the document cannot be deleted.
    pub(crate) legal_hold: bool,
    /// Null until there is one.
    #[schema(required)]
    pub(crate) summary: Option<String>,
    /// Only of one in the trash.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "maybe_microseconds"
    )]
    #[schema(value_type = String, required = false, format = DateTime)]
    pub(crate) deleted_timestamp: Option<Timestamp>,
    #[serde(skip)]
    pub(crate) content_key: Uuid,
}

fn maybe_microseconds<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => microseconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn lower_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_shown_as_the_api_documents_it() {
        let document = Document {
            id: 5,
            client_id: "globex".into(),
            filename: "test_file.txt".into(),
            file_size: 50,
            file_type: "text/plain".into(),
            upload_timestamp: Timestamp::from_microsecond(1_755_677_448_108_442).expect("a time"),
            sha256: vec![0xab; 32],
            version: 1,
            modified_timestamp: Timestamp::from_second(1_755_677_449).expect("a time"),
            tags: vec!["offer".into()],
            legal_hold: false,
            summary: None,
            deleted_timestamp: None,
            content_key: Uuid::nil(),
        };
        insta::assert_json_snapshot!(document, @r#"
        {
          "id": 5,
          "client_id": "globex",
          "filename": "test_file.txt",
          "file_size": 50,
          "file_type": "text/plain",
          "upload_timestamp": "2025-08-20T08:10:48.108442Z",
          "sha256": "abababababababababababababababababababababababababababababababab",
          "version": 1,
          "modified_timestamp": "2025-08-20T08:10:49.000000Z",
          "tags": [
            "offer"
          ],
          "legal_hold": false,
          "summary": null
        }
        "#);
    }
}
