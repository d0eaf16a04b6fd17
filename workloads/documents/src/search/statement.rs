//! The one statement of a search.

use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::super::repository::{columns, document, shown};
use super::super::{Document, Filter};
use super::{Query, SearchCursor, snippet};

/// A document that a search found.
#[derive(Clone, Debug)]
pub(crate) struct SearchHit {
    pub(crate) document: Document,
    pub(crate) rank: f32,
    /// HTML; `None` for a document without text.
    pub(crate) snippet: Option<String>,
    /// The newest document when the search began.
    pub(crate) newest: i64,
}

macro_rules! query {
    () => {
        "websearch_to_tsquery('english', $1)"
    };
}

/// What matches in the documents that `$part` names, newest first.
// `+ 0` keeps the primary key out of the plan: its walk would be longer than all else. A query that
// says only what must not be there has the tree `T`; no index helps with it, so it finds nothing.
macro_rules! matches_in {
    ($part:literal) => {
        concat!(
            "(SELECT document_id, search FROM document_text JOIN document_metadata ON id = document_id \
             WHERE search @@ ",
            query!(),
            " AND querytree(",
            query!(),
            ") <> 'T' AND ",
            $part,
            " AND document_id + 0 <= $2 AND ",
            shown!(),
            " AND ($9::text IS NULL OR tags @> ARRAY[$9::text]) ORDER BY document_id DESC)",
        )
    };
}

/// Of the newest 1000 matches the best: ranking every match of a word that many documents have would
/// take seconds. They are gathered window by window, each as large as all those newer than it, and none
/// is looked at once there are enough (docs/adr/0012).
const SEARCH: Statement = Statement {
    operation: "SELECT",
    table: crate::text::TABLE,
    sql: concat!(
        "WITH newest AS (SELECT id, id / 1024 AS bucket FROM \
           (SELECT coalesce(max(document_id), 0) AS id FROM document_text WHERE document_id <= $2) AS newest), \
         windows AS (SELECT bucket - (1 << step) + 1 AS last, bucket - (2 << step) + 2 AS first \
           FROM newest, generate_series(0, 7) AS step), \
         matches AS MATERIALIZED (\
           SELECT newer.* FROM windows, LATERAL ",
        matches_in!("ARRAY[document_id / 1024] && ARRAY(SELECT generate_series(first, last))"),
        " AS newer UNION ALL SELECT older.* FROM ",
        matches_in!("document_id + 0 < (SELECT (bucket - 254) * 1024 FROM newest)"),
        " AS older LIMIT 1000), \
         ranked AS MATERIALIZED (SELECT document_id, ts_rank(search, ",
        query!(),
        ") AS rank FROM matches), \
         last AS (SELECT CASE WHEN $7 = 9223372036854775807 THEN 'Infinity'::real ELSE \
           (SELECT ts_rank(search, ",
        query!(),
        ") FROM document_text WHERE document_id = $7) END AS rank), \
         best AS (SELECT * FROM ranked WHERE (rank, document_id) < ((SELECT rank FROM last), $7) \
           ORDER BY rank DESC, document_id DESC LIMIT $8) \
         SELECT ",
        columns!(),
        ", rank, (SELECT newest.id FROM newest) AS newest, CASE WHEN text <> '' THEN \
           ts_headline('english', left(text, 8192), ",
        query!(),
        ", 'StartSel=\u{2}, StopSel=\u{3}, MaxFragments=2, MinWords=8, MaxWords=24, ShortWord=0, FragmentDelimiter=\" … \"') \
           END AS headline \
         FROM best JOIN document_metadata ON id = best.document_id \
           JOIN document_text ON document_text.document_id = best.document_id \
         ORDER BY rank DESC, id DESC",
    ),
};

/// At most `most` documents of `client` that `query` finds and `filter` lets through, the best first,
/// from `start` on.
pub(crate) async fn search(
    database: &Database,
    client: &Client,
    query: &Query,
    filter: &Filter,
    start: SearchCursor,
    most: u32,
) -> Result<Vec<SearchHit>, Error> {
    let arguments = arguments()
        .with(query.as_str())?
        .with(start.newest)?
        .with(filter.after.to_sqlx())?
        .with(filter.before.to_sqlx())?
        .with(filter.type_pattern.as_str())?
        .with(filter.name.as_str())?
        .with(start.id)?
        .with(i64::from(most))?
        .with(filter.tag.as_deref())?
        .end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let rows = SEARCH
            .fetch_all(database, connection.as_mut(), arguments)
            .await?;
        connection.settle();
        rows.iter().map(|row| hit(client, row)).collect()
    };
    database.within_deadline(work).await
}

fn hit(client: &Client, row: &PgRow) -> Result<SearchHit, Error> {
    let document = document(client, row)?;
    let headline: Option<&str> = row.try_get("headline")?;
    Ok(SearchHit {
        rank: row.try_get("rank")?,
        snippet: headline.map(snippet::html),
        newest: row.try_get("newest")?,
        document,
    })
}
