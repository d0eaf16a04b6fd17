//! Marks of contents in the object store that no document and no version has. All times are of Postgres and of
//! the store: a server's own clock may be anything.

use std::time::Duration;

use docket_platform::content_store::Object;
use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use docket_platform::timestamp;
use jiff::Timestamp;
use sqlx::Row as _;
use uuid::Uuid;

use crate::repository::content_key;

/// What is known of contents without a document.
pub(crate) const TABLE: &str = "unnamed_content";

const NOW: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT clock_timestamp() AS now",
};

// A mark counts from when it was made as long as each sweep renews it. What was put there anew, and what no sweep
// saw for a while, as in rows that come from a backup, begins anew.
const MARK: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "WITH old AS (\
            SELECT key::uuid AS key, to_timestamp(modified) AS modified \
            FROM unnest($1::text[], $2::float8[]) AS listed (key, modified) \
            WHERE to_timestamp(modified) < statement_timestamp() - make_interval(secs => $3)\
          ), unnamed AS (\
            SELECT * FROM old \
            WHERE NOT EXISTS (SELECT FROM document_metadata WHERE content_key = old.key) \
              AND NOT EXISTS (SELECT FROM document_versions WHERE content_key = old.key)\
          ), marked AS (\
            INSERT INTO unnamed_content AS mark (content_key, modified, first_seen, last_seen) \
            SELECT key, modified, statement_timestamp(), statement_timestamp() FROM unnamed \
            ON CONFLICT (content_key) DO UPDATE SET \
              first_seen = CASE WHEN mark.modified = excluded.modified \
                AND mark.last_seen > excluded.last_seen - make_interval(secs => $4) \
                THEN mark.first_seen ELSE excluded.first_seen END, \
              modified = excluded.modified, last_seen = excluded.last_seen \
            RETURNING mark.content_key\
          ) \
          SELECT (SELECT count(*) FROM old) AS looked_at, (SELECT count(*) FROM marked) AS unnamed",
};

const FORGET_OTHERS: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "DELETE FROM unnamed_content WHERE last_seen < $1",
};

const DUE: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT content_key::text, modified FROM unnamed_content AS mark \
          WHERE first_seen < statement_timestamp() - make_interval(secs => $1) \
            AND NOT EXISTS (SELECT FROM document_metadata AS it WHERE it.content_key = mark.content_key) \
            AND NOT EXISTS (SELECT FROM document_versions AS it WHERE it.content_key = mark.content_key) \
          ORDER BY content_key LIMIT $2",
};

const FORGET: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "DELETE FROM unnamed_content WHERE content_key = ANY($1::text[]::uuid[])",
};

/// What a sweep saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Contents that are older than the grace.
    pub(super) looked_at: u64,
    /// Those of them that nothing has.
    pub(super) unnamed: u64,
}

/// A content that may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) key: Uuid,
    /// When it was written, at the last look.
    pub(super) modified: Timestamp,
}

/// The marks of a client.
pub(super) struct Marks<'a> {
    pub(super) database: &'a Database,
    pub(super) client: &'a Client,
}

impl Marks<'_> {
    /// What time it is in Postgres.
    pub(super) async fn now(&self) -> Result<Timestamp, Error> {
        let rows = self.rows(NOW, arguments()).await?;
        let row = rows
            .first()
            .ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        Ok(timestamp::column(row, "now")?)
    }

    /// Marks those of `objects` that are older than `grace` and that nothing has, from now on, or as before if
    /// the last look was no longer ago than `unbroken`.
    pub(super) async fn mark(
        &self,
        objects: &[Object],
        grace: Duration,
        unbroken: Duration,
    ) -> Result<Seen, Error> {
        let keys: Vec<String> = objects.iter().map(|it| it.key.to_string()).collect();
        let seconds = |it: &Object| it.modified.as_duration().as_secs_f64();
        let modified: Vec<f64> = objects.iter().map(seconds).collect();
        let values = arguments()
            .with(keys)?
            .with(modified)?
            .with(grace.as_secs_f64())?
            .with(unbroken.as_secs_f64())?;
        let rows = self.rows(MARK, values).await?;
        let row = rows
            .first()
            .ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        let count = |column| Ok::<_, Error>(row.try_get::<i64, _>(column)?.unsigned_abs());
        Ok(Seen {
            looked_at: count("looked_at")?,
            unnamed: count("unnamed")?,
        })
    }

    /// Forgets what was not seen since `begun`: it has a document now, or is gone.
    pub(super) async fn forget_others(&self, begun: Timestamp) -> Result<(), Error> {
        let begun = jiff_sqlx::Timestamp::from(begun);
        self.rows(FORGET_OTHERS, arguments().with(begun)?).await?;
        Ok(())
    }

    /// Some of those that were first seen before `wait`, and that nothing has now either.
    pub(super) async fn due(&self, wait: Duration, most: i64) -> Result<Vec<Due>, Error> {
        let values = arguments().with(wait.as_secs_f64())?.with(most)?;
        let rows = self.rows(DUE, values).await?;
        let due = rows.iter().map(|row| {
            Ok(Due {
                key: content_key(row)?,
                modified: timestamp::column(row, "modified")?,
            })
        });
        due.collect()
    }

    /// Forgets the marks of `keys`.
    pub(super) async fn forget(&self, keys: &[Due]) -> Result<(), Error> {
        let keys: Vec<String> = keys.iter().map(|it| it.key.to_string()).collect();
        self.rows(FORGET, arguments().with(keys)?).await?;
        Ok(())
    }

    async fn rows(
        &self,
        statement: Statement,
        values: docket_platform::database::ArgumentList,
    ) -> Result<Vec<sqlx::postgres::PgRow>, Error> {
        let work = async {
            let mut connection = self.database.connection(self.client).await?;
            statement
                .fetch_all(self.database, connection.as_mut(), values.end())
                .await
        };
        self.database.within_deadline(work).await
    }
}
