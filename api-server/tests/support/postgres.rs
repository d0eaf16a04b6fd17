//! A Postgres of its own for a test, with the clients of tenants as the operator makes them.

use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};

use docket_schema::{Applied, BOOTSTRAP, Identity, Owner, Provision, provision};
use docket_testing_support::{PostgresSetup, SUPERUSER, SUPERUSER_PASSWORD, postgres_tool};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{CLIENTS, Tenancy, password};

/// A server; it stops, and its data goes, on drop.
pub struct Postgres(docket_testing_support::Postgres);

impl Deref for Postgres {
    type Target = docket_testing_support::Postgres;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Postgres {
    /// Starts a server that asks everyone for a password.
    pub fn start() -> Self {
        Self::make(&PostgresSetup::default())
    }

    /// The same, with what it commits synced to the disk as in production.
    pub fn start_durable() -> Self {
        Self::make(&PostgresSetup {
            settings: &[],
            ..PostgresSetup::default()
        })
    }

    fn make(setup: &PostgresSetup<'_>) -> Self {
        Self(docket_testing_support::Postgres::start(setup).expect("a Postgres"))
    }

    /// What a client takes as the host.
    pub fn host(&self) -> &Path {
        self.folder()
    }

    pub async fn superuser(&self) -> PgConnection {
        let connection = self.0.superuser("postgres").await;
        connection.expect("a superuser")
    }

    pub async fn superuser_of(&self, database: &str) -> PgConnection {
        let connection = self.0.superuser(database).await;
        connection.expect("a superuser")
    }

    pub async fn login(&self, role: &str, password: &str) -> sqlx::Result<PgConnection> {
        self.0.login("postgres", role, password).await
    }

    /// A tenant of this name whose clients are provisioned as the operator does it.
    pub async fn tenancy(&self, name: &str) -> Tenancy {
        let tenancy = Tenancy::new(self.host(), name, "ApiKey");
        let mut connection = self.superuser().await;
        sqlx::raw_sql(BOOTSTRAP)
            .execute(&mut connection)
            .await
            .expect("bootstrap");
        for client in CLIENTS {
            let sql = script(&tenancy.identity(client), name, client);
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .expect("provision");
        }
        connection.close().await.expect("closed");
        tenancy
    }
}

impl Postgres {
    /// Restores a dump of the database as `name`.
    pub async fn clone_as(&self, name: &str) {
        let mut connection = self.superuser().await;
        let sql = format!("CREATE DATABASE {name}");
        let made = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await;
        made.expect("a database");
        let dump = self.folder().join(format!("{name}.sql"));
        let dump = dump.display();
        self.tool("pg_dump", "postgres", &format!("--file={dump}"));
        self.tool("psql", name, &format!("--file={dump}"));
    }

    fn tool(&self, tool: &str, database: &str, argument: &str) {
        let status = Command::new(postgres_tool(tool).expect("installed"))
            .arg(format!("--host={}", self.host().display()))
            .args(["--username", SUPERUSER, "--dbname", database, argument])
            .env("PGPASSWORD", SUPERUSER_PASSWORD)
            .stdout(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{tool}");
    }
}

fn script(identity: &Identity, tenant: &str, client: &str) -> String {
    let owner = Owner {
        namespace: "test".into(),
        tenant: tenant.into(),
        tenant_uid: "11111111-2222-3333-4444-555555555555".into(),
        client: client.into(),
    };
    // Postgres makes the verifier itself when it is given the password.
    let verifier = password(client);
    provision(&Provision {
        identity,
        owner: &owner,
        verifier: &verifier,
        credential_hash: "hash",
        workloads: &["documents", "pageViews"],
        applied: &Applied::default(),
        content: "{}",
        connections: 256,
    })
}
