//! One SQL statement, with its span, its metrics and the trace it belongs to.

use std::borrow::Cow;
use std::time::Instant;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, PgConnection, Postgres, Type};
use tracing::Instrument as _;

use super::Database;
use super::client_pool::Connection;
use crate::error::Error;

/// Bytes that are sent at once; a connection keeps a buffer of what it sends.
const CHUNK: usize = 64 * 1024;

type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// A statement and what its telemetry calls it.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// `SELECT`, `INSERT`, `COPY`, `UPDATE`, `DELETE` or `LOCK`.
    pub operation: &'static str,
    /// The table that it is about.
    pub table: &'static str,
    /// The text, with `$1`… for values.
    pub sql: &'static str,
}

impl Statement {
    /// The first row, if any.
    pub async fn fetch_optional(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        arguments: PgArguments,
    ) -> Result<Option<PgRow>, Error> {
        let run = async { self.query(arguments).fetch_optional(connection).await };
        self.observe(database, run).await
    }

    /// All rows; how many there can be is up to the statement.
    pub async fn fetch_all(
        &self,
        database: &Database,
        connection: &mut PgConnection,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, Error> {
        let run = async { self.query(arguments).fetch_all(connection).await };
        self.observe(database, run).await
    }

    /// Runs a `COPY … FROM STDIN` with `rows`, all or none of them, and commits them unless a transaction is open.
    ///
    /// After an error, or when it is cut off, the connection ends.
    pub async fn copy(
        &self,
        database: &Database,
        connection: &mut Connection,
        rows: &[u8],
    ) -> Result<(), Error> {
        let run = async {
            let (sql, _) = commented(self.sql, docket_instrumentation::traceparent());
            let postgres = connection.as_mut_or_end();
            let mut copy = postgres.copy_in_raw(&sql).await?;
            for chunk in rows.chunks(CHUNK) {
                copy.send(chunk).await?;
            }
            copy.finish().await.map(drop)
        };
        self.observe(database, run).await?;
        connection.settle();
        Ok(())
    }

    async fn observe<T>(
        &self,
        database: &Database,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Error> {
        let span = tracing::info_span!(
            "sql_execution",
            otel.name = "sql_execution",
            otel.kind = "client",
            db.system.name = "postgresql",
            db.operation.name = self.operation,
            db.collection.name = self.table,
            db.query.text = self.sql,
        );
        let start = Instant::now();
        let result = run.instrument(span).await;
        database
            .metrics
            .record(self.operation, self.table, result.is_ok(), start.elapsed());
        Ok(result?)
    }

    /// Made inside the span of the statement, so that the comment names that.
    fn query(&self, arguments: PgArguments) -> Query {
        let (sql, cached) = commented(self.sql, docket_instrumentation::traceparent());
        sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(cached)
    }
}

/// `sql` with the trace in a comment, and whether to keep it prepared.
///
/// A text that is different each time would only fill the cache of prepared statements, so a
/// sampled statement is prepared once and forgotten, and one that nobody will look at has no comment.
fn commented(sql: &'static str, traceparent: Option<String>) -> (Cow<'static, str>, bool) {
    match traceparent.filter(|it| it.ends_with("-01")) {
        Some(it) => (Cow::Owned(format!("{sql} /*traceparent='{it}'*/")), false),
        None => (Cow::Borrowed(sql), true),
    }
}

/// The values of a statement, in order.
#[derive(Default)]
pub struct ArgumentList(PgArguments);

/// The values of a statement; a value that cannot be encoded is an error of ours.
pub fn arguments() -> ArgumentList {
    ArgumentList::default()
}

impl ArgumentList {
    /// Adds `value`.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn with<'t, T>(mut self, value: T) -> Result<Self, Error>
    where
        T: Encode<'t, Postgres> + Type<Postgres>,
    {
        self.0
            .add(value)
            .map_err(|error| Error::Database(sqlx::Error::Encode(error)))?;
        Ok(self)
    }

    /// All of them.
    pub fn end(self) -> PgArguments {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    #[test]
    fn a_sampled_statement_names_its_trace_and_is_not_cached() {
        let (sql, cached) = commented("SELECT 1", Some(format!("{ID}-01")));
        assert_eq!(sql, format!("SELECT 1 /*traceparent='{ID}-01'*/"));
        assert!(!cached);
    }

    #[test]
    fn any_other_statement_is_cached_as_it_is() {
        for traceparent in [None, Some(format!("{ID}-00"))] {
            assert_eq!(
                commented("SELECT 1", traceparent),
                (Cow::Borrowed("SELECT 1"), true)
            );
        }
    }
}
