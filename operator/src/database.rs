//! The tenant's database, as its administrator: read what is there, run what must change.

mod circuit_breaker;
mod connection;
mod connection_limit;
mod failure;
mod inspection;
mod outside;
mod pools;
mod sessions;
mod shares;
pub mod watch;

pub use connection::AdminConnection;
pub use connection_limit::ConnectionLimit;
pub use failure::{DEPENDENT_OBJECTS, LOCKED};
pub use inspection::{ClientRow, Inspection, RefusedTask, Registered};
pub use outside::UNDER_WAY;
pub use pools::Databases;
pub use sessions::Answer;

use std::time::Duration;

use docket_schema::{End, Identity, Outside, Provision, Workload};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tracing::Instrument;

use self::sessions::Sessions;
use crate::error::{Error, Problem};
use crate::monitoring::metrics::Metrics;

/// Longest wait for a login that is tried.
const LOGIN: Duration = Duration::from_secs(5);

/// A connection to one database, with the rights of the operator.
#[derive(Clone, Debug)]
pub struct Database {
    sessions: Sessions,
    metrics: Metrics,
    /// SQL that reads what is there of clients.
    read_clients: &'static str,
}

impl Database {
    /// Reads all that decides what to do for the clients whose schemas are `schemas`.
    ///
    /// # Errors
    /// Transient ones only: a database that does not answer may do so later.
    pub async fn inspect(&self, schemas: &[String]) -> Result<Inspection, Error> {
        inspection::inspect(&self.sessions, self.read_clients, schemas).await
    }

    /// Makes a client's role, schema and grants, or brings them up to date.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn provision(&self, wanted: &Provision<'_>) -> Result<(), Error> {
        self.run(
            "provision",
            &wanted.identity.schema,
            docket_schema::provision(wanted),
        )
        .await
    }

    /// Does a migration that cannot be a part of [`provision`](Self::provision), for the client `identity`.
    ///
    /// # Errors
    /// As [`Database::inspection`], and while it takes longer than anybody waits.
    pub async fn migrate_outside(
        &self,
        identity: &Identity,
        outside: Outside,
    ) -> Result<(), Error> {
        let span = sql_span("migrate", &identity.schema);
        self.metrics.ran_sql("migrate");
        outside::migrate(&self.sessions, identity, outside)
            .instrument(span)
            .await
    }

    /// Drops the tables of `workload`; `content` is what the registry says of the client's content then.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn drop_workload(
        &self,
        identity: &Identity,
        tenant_uid: &str,
        workload: &Workload,
        content: &str,
    ) -> Result<(), Error> {
        self.run(
            "drop_workload",
            &identity.schema,
            docket_schema::drop_workload(identity, tenant_uid, workload, content, End::Commit),
        )
        .await
    }

    /// Finds out whether [`drop_workload`](Self::drop_workload) could be done.
    ///
    /// # Errors
    /// As [`Database::inspection`], and what depends on the tables.
    pub async fn rehearse_drop_workload(
        &self,
        identity: &Identity,
        tenant_uid: &str,
        workload: &Workload,
    ) -> Result<(), Error> {
        let script =
            docket_schema::drop_workload(identity, tenant_uid, workload, "{}", End::Rollback);
        self.run("rehearse", &identity.schema, script).await
    }

    /// Takes the login of a client and keeps its data.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn retain(&self, identity: &Identity, tenant_uid: &str) -> Result<(), Error> {
        self.run(
            "retain",
            &identity.schema,
            docket_schema::retain(identity, tenant_uid),
        )
        .await
    }

    /// Lets nobody be or stay logged in as a client.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn shut_out(&self, identity: &Identity, tenant_uid: &str) -> Result<(), Error> {
        let script = docket_schema::shut_out(identity, tenant_uid);
        self.run("shut_out", &identity.schema, script).await
    }

    /// Shuts a client out, and finds out whether its schema can be dropped.
    ///
    /// # Errors
    /// As [`Database::inspection`], and what depends on the schema.
    pub async fn prepare_delete(&self, identity: &Identity, tenant_uid: &str) -> Result<(), Error> {
        self.shut_out(identity, tenant_uid).await?;
        let script = docket_schema::delete(identity, tenant_uid, End::Rollback);
        self.run("rehearse", &identity.schema, script).await
    }

    /// Drops a client's schema, then its roles; what keeps these from being dropped, if anything does.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn delete(
        &self,
        identity: &Identity,
        tenant_uid: &str,
    ) -> Result<Option<Problem>, Error> {
        let script = docket_schema::delete(identity, tenant_uid, End::Commit);
        self.run("delete", &identity.schema, script).await?;
        self.delete_roles(identity, tenant_uid).await
    }

    /// Drops the roles of a client whose schema is dropped; what keeps them from being dropped, if anything does.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn delete_roles(
        &self,
        identity: &Identity,
        tenant_uid: &str,
    ) -> Result<Option<Problem>, Error> {
        let script = docket_schema::delete_roles(identity, tenant_uid);
        match self.run("delete_roles", &identity.schema, script).await {
            Ok(()) => Ok(None),
            Err(Error::Transient(problem)) if problem.reason == failure::DEPENDENT_OBJECTS => {
                Ok(Some(problem))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the login of the role of a client that is no longer in use.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn retire(&self, identity: &Identity, tenant_uid: &str) -> Result<(), Error> {
        self.run(
            "retire",
            &identity.schema,
            docket_schema::retire(identity, tenant_uid),
        )
        .await
    }

    /// Ends the sessions of the role of a client that was retired so long ago.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn end_sessions(
        &self,
        identity: &Identity,
        tenant_uid: &str,
        grace: Duration,
    ) -> Result<(), Error> {
        let script = docket_schema::end_sessions(identity, tenant_uid, grace.as_secs());
        self.run("end_sessions", &identity.schema, script).await
    }

    /// Whether `role` cannot log in with `password`; whatever else keeps it from that is not asked for.
    pub async fn refuses(&self, role: &str, password: &str) -> bool {
        let options = PgConnectOptions::clone(&self.sessions.options());
        let options = options.username(role).password(password);
        let login = tokio::time::timeout(LOGIN, options.connect()).await;
        let refused = match login {
            Ok(Err(sqlx::Error::Database(refused))) => refused,
            Ok(Ok(session)) => {
                // It worked, however it ends.
                let _ = session.close().await;
                return false;
            }
            _ => return false,
        };
        refused.code().as_deref() == Some("28P01")
    }

    /// What the database calls itself: a copy of its rows elsewhere calls itself something else.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn name_of_itself(&self) -> Result<String, Error> {
        let read = self.sessions.survey(async |connection| {
            sqlx::query_scalar(docket_schema::READ_DATABASE)
                .fetch_one(connection)
                .await
        });
        read.await
    }

    /// How much of what `schema` has of `workloads` must not be deleted, whoever asks.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn count_held(&self, schema: &str, workloads: &[&Workload]) -> Result<i64, Error> {
        let Some(query) = docket_schema::count_held(schema, workloads) else {
            return Ok(0);
        };
        let read = self.sessions.with(async |connection| {
            sqlx::query_scalar(sqlx::AssertSqlSafe(query.clone()))
                .persistent(false)
                .fetch_one(connection)
                .await
        });
        read.await
    }

    /// Whether what the client with the schema `schema` stores comes to nothing.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn stores_nothing(&self, schema: &str) -> Result<bool, Error> {
        let query = docket_schema::count_stored(schema);
        let read = self.sessions.survey(async |connection| {
            sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(query.clone()))
                .persistent(false)
                .fetch_one(connection)
                .await
        });
        Ok(read.await? == 0)
    }

    /// Whether anybody is logged in as `role`.
    ///
    /// # Errors
    /// As [`Database::inspection`].
    pub async fn has_sessions(&self, role: &str) -> Result<bool, Error> {
        let read = self.sessions.with(async |connection| {
            sqlx::query_scalar(docket_schema::READ_SESSIONS)
                .bind(role)
                .fetch_one(connection)
                .await
        });
        read.await
    }

    async fn run(
        &self,
        operation: &'static str,
        schema: &str,
        script: String,
    ) -> Result<(), Error> {
        let span = sql_span(operation, schema);
        self.metrics.ran_sql(operation);
        self.sessions.run_script(script).instrument(span).await
    }
}

fn sql_span(operation: &'static str, schema: &str) -> tracing::Span {
    tracing::info_span!(
        "sql_execution",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.operation.name = operation,
        db.namespace = schema,
    )
}
