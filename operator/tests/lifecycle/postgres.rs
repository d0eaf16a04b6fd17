//! A Postgres of its own for a test, as the Secret of a tenant names it.

use std::ops::Deref;
use std::process::{Command, Stdio};

use docket_testing_support::{
    OTHER_VERSIONS, PostgresSetup, SUPERUSER, SUPERUSER_PASSWORD, postgres_tool,
};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

/// The superuser's password.
pub const PASSWORD: &str = SUPERUSER_PASSWORD;

/// A server; it stops, and its data goes, on drop.
pub struct Postgres(docket_testing_support::Postgres);

impl Deref for Postgres {
    type Target = docket_testing_support::Postgres;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A server of each version that is supported, one after the other.
pub fn each_version() -> impl Iterator<Item = Postgres> {
    let others = OTHER_VERSIONS.into_iter().map(Some);
    std::iter::once(None)
        .chain(others)
        .map(|version| version.map_or_else(Postgres::start, Postgres::of))
}

impl Postgres {
    /// Starts a server that asks everyone for a password.
    pub fn start() -> Self {
        Self::made(&PostgresSetup::default())
    }

    /// Starts one of another version than the machine has.
    pub fn of(version: &str) -> Self {
        Self::made(&PostgresSetup {
            version: Some(version),
            ..PostgresSetup::default()
        })
    }

    /// Starts one as `setup` says.
    pub fn made(setup: &PostgresSetup<'_>) -> Self {
        let started = docket_testing_support::Postgres::start(setup);
        Self(started.expect("a Postgres"))
    }

    /// The Secret that names the server, for the administrator `username`.
    pub fn secret(&self, username: &str, password: &str) -> Vec<(&'static str, String)> {
        vec![
            ("host", self.host()),
            ("dbname", "postgres".into()),
            ("username", username.to_owned()),
            ("password", password.to_owned()),
            ("sslmode", "disable".into()),
        ]
    }

    /// Logs in.
    pub async fn login(&self, role: &str, password: &str) -> sqlx::Result<PgConnection> {
        self.0.login("postgres", role, password).await
    }

    /// Logs in to another database.
    pub async fn login_to(
        &self,
        database: &str,
        role: &str,
        password: &str,
    ) -> sqlx::Result<PgConnection> {
        self.0.login(database, role, password).await
    }

    /// A superuser's session with another database.
    pub async fn superuser_of(&self, database: &str) -> PgConnection {
        self.0.superuser(database).await.expect("a superuser")
    }

    /// Runs `sql` as the superuser.
    pub async fn run(&self, sql: &str) {
        let mut connection = self.superuser().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .expect(sql);
    }

    /// Runs `pg_dump` or `psql` against the database, as the superuser.
    pub fn tool(&self, name: &str, arguments: &[&str]) {
        let status = Command::new(postgres_tool(name).expect("installed"))
            .args(["--host", &self.host(), "--username", SUPERUSER])
            .args(["--dbname", "postgres"])
            .args(arguments)
            .env("PGPASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{name}");
    }

    /// The one value that `sql` asks for.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.superuser().await;
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut connection)
            .await
            .expect(sql)
    }

    /// What the database calls itself.
    pub async fn name_of_itself(&self) -> String {
        let mut connection = self.superuser().await;
        let name = sqlx::query_scalar(docket_schema::READ_DATABASE);
        name.fetch_one(&mut connection).await.expect("a name")
    }

    async fn superuser(&self) -> PgConnection {
        let connection = self.0.superuser("postgres").await;
        connection.expect("a superuser")
    }

    fn host(&self) -> String {
        self.folder().display().to_string()
    }
}
