//! Inserting documents whose content is in the object store: metadata, words, audit and usage, of any number
//! of documents with one statement.

use std::collections::HashMap;

use docket_platform::audit::Origin;
use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use docket_platform::usage::{Charge, charge_sql, exceeded};
use sqlx::PgConnection;

use super::repository::{columns, document};
use super::{Document, NewDocument, TABLE, counters};
use crate::text::{Texts, search_sql};

// Each part takes its rows from the one before: what the quota does not allow leaves nothing at all.
const INSERT: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: concat!(
        "WITH new AS (\
           SELECT * FROM unnest($5::text[], $6::bigint[], $7::text[], $8::text[], $9::bytea[], $10::text[], \
             $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], \
             $18::text[], $19::text[]) \
           AS new (filename, file_size, file_type, content_key, sha256, summary, text_state, \
             text_traceparent, actor, trace_id, request_id, text, name_words, summary_words, text_words)\
         ), ",
        charge_sql!("$1", "$2", "$3", "$4"),
        ", document AS (\
           INSERT INTO document_metadata (filename, file_size, file_type, content_key, sha256, \
             summary, text_state, text_traceparent) \
           SELECT filename, file_size, file_type, content_key::uuid, sha256, summary, text_state, \
             text_traceparent FROM new WHERE EXISTS (SELECT FROM charged) RETURNING ",
        columns!(),
        "), entry AS (\
           INSERT INTO audit_log (action, subject_kind, subject_id, subject_version, actor, trace_id, request_id) \
           SELECT 'upload', 'document', id::text, version, actor, trace_id, request_id \
           FROM document JOIN new USING (content_key)\
         ), words AS (\
           INSERT INTO document_text (document_id, text, search) SELECT id, text, ",
        search_sql!("name_words", "summary_words", "text_words"),
        " FROM document JOIN new USING (content_key)\
         ) SELECT * FROM document",
    ),
};

/// A document that is about to be inserted, and all that is inserted with it.
#[derive(Debug)]
pub(crate) struct Insertion {
    pub(crate) new: NewDocument,
    origin: Origin,
    pub(crate) texts: Texts,
    traceparent: Option<String>,
}

impl Insertion {
    /// In the current span's trace, which reading its text later will be a part of.
    pub(crate) fn new(new: NewDocument, origin: Origin, texts: Texts) -> Self {
        Self {
            new,
            origin,
            texts,
            traceparent: docket_instrumentation::traceparent(),
        }
    }

    fn bytes(&self) -> i64 {
        i64::try_from(self.new.file_size).unwrap_or(i64::MAX)
    }
}

/// Of the transaction that inserts a document.
pub(crate) fn store_metadata() -> tracing::Span {
    tracing::info_span!("store_metadata", db.collection.name = TABLE)
}

/// Inserts one document with one statement, in the transaction that `connection` is in.
///
/// # Errors
/// [`Error::Unprocessable`] when another document has that content already, [`Error::QuotaExceeded`].
pub(crate) async fn insert(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    insertion: &Insertion,
) -> Result<Document, Error> {
    let inserted = insert_all(database, connection, client, &[insertion]).await;
    match inserted.map_err(taken)?.pop() {
        Some(document) => Ok(document),
        None => Err(exceeded(database, connection, client, charge(&[insertion])).await),
    }
}

/// Inserts all `insertions` with one statement, in the transaction that `connection` is in; the documents
/// are in the order of their insertions. None is inserted, and none returned, when the client's quota does
/// not allow all.
pub(super) async fn insert_all(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    insertions: &[&Insertion],
) -> Result<Vec<Document>, Error> {
    fn each<'r, T>(of: &[&'r Insertion], value: impl Fn(&'r Insertion) -> T) -> Vec<T> {
        of.iter().map(|insertion| value(insertion)).collect()
    }
    let of = insertions;
    let arguments = charge(of)
        .values(arguments(), client)?
        .with(each(of, |it| it.new.filename.as_str()))?
        .with(each(of, Insertion::bytes))?
        .with(each(of, |it| it.new.file_type.as_str()))?
        .with(each(of, |it| it.new.content_key.to_string()))?
        .with(each(of, |it| it.new.sha256.as_slice()))?
        .with(each(of, |it| it.texts.summary.as_deref()))?
        .with(each(of, |it| it.texts.state.as_str()))?
        .with(each(of, |it| it.traceparent.as_deref()))?
        .with(each(of, |it| it.origin.actor.as_str()))?
        .with(each(of, |it| it.origin.trace_id.as_deref()))?
        .with(each(of, |it| it.origin.request_id.as_deref()))?
        .with(each(of, |it| it.texts.text.as_str()))?
        .with(each(of, |it| it.texts.name_words.as_str()))?
        .with(each(of, |it| it.texts.summary_words.as_str()))?
        .with(each(of, |it| it.texts.text_words.as_str()))?
        .end();
    let rows = INSERT.fetch_all(database, connection, arguments).await?;
    let mut inserted = HashMap::with_capacity(rows.len());
    for row in &rows {
        let document = document(client, row)?;
        inserted.insert(document.content_key, document);
    }
    let in_order = of.iter().map(|it| inserted.remove(&it.new.content_key));
    Ok(in_order.flatten().collect())
}

fn charge(insertions: &[&Insertion]) -> Charge {
    let bytes = insertions.iter().map(|insertion| insertion.bytes());
    let documents = i64::try_from(insertions.len()).unwrap_or(i64::MAX);
    counters::charge(documents, bytes.fold(0, i64::saturating_add))
}

fn taken(error: Error) -> Error {
    match error {
        Error::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Error::Unprocessable("content_key belongs to another document".into())
        }
        other => other,
    }
}
