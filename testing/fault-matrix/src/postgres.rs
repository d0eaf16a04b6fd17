//! The databases: one server, and the role that the operator logs in as.

use std::ops::Deref;
use std::path::Path;

use anyhow::{Context as _, Result};
use docket_testing_support::{PostgresSetup, SUPERUSER_PASSWORD};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::fidelity::Fidelity;

/// Who the operator logs in as: no superuser, as the documentation asks.
pub const ADMIN: &str = "docket_admin";
/// The password of the operator's role, and of the superuser.
pub const PASSWORD: &str = SUPERUSER_PASSWORD;

/// A server; it stops, and its data goes, on drop.
#[derive(Debug)]
pub struct Postgres(docket_testing_support::Postgres);

impl Deref for Postgres {
    type Target = docket_testing_support::Postgres;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Postgres {
    /// Starts a server that asks everyone but the superuser for a password.
    ///
    /// # Errors
    /// Postgres is not installed, or does not start.
    pub async fn start(fidelity: Fidelity) -> Result<Self> {
        let settings = match fidelity {
            Fidelity::Swift => ["max_connections=1000", "fsync=off", "full_page_writes=off"],
            // As a server of its own has it.
            Fidelity::Real => [
                "max_connections=1000",
                "shared_buffers=1GB",
                "max_wal_size=4GB",
            ],
        };
        let postgres = docket_testing_support::Postgres::start(&PostgresSetup {
            parent: Path::new(fidelity.folder()),
            version: None,
            settings: &settings,
            trusts_superuser: true,
        })?;
        let mut superuser = postgres.superuser("postgres").await?;
        let role = format!("CREATE ROLE {ADMIN} LOGIN CREATEROLE PASSWORD '{PASSWORD}'");
        sqlx::raw_sql(AssertSqlSafe(role))
            .execute(&mut superuser)
            .await?;
        superuser.close().await?;
        Ok(Self(postgres))
    }

    /// Makes a database that belongs to the operator's role.
    ///
    /// # Errors
    /// There is one of that name.
    pub async fn create_database(&self, name: &str) -> Result<()> {
        let mut superuser = self.superuser("postgres").await?;
        let sql = format!("CREATE DATABASE \"{name}\" OWNER {ADMIN}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut superuser)
            .await
            .context("CREATE DATABASE")?;
        superuser.close().await?;
        Ok(())
    }

    /// Drops a database, whoever is connected to it.
    ///
    /// # Errors
    /// There is none.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        let mut superuser = self.superuser("postgres").await?;
        let sql = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut superuser)
            .await?;
        superuser.close().await?;
        Ok(())
    }
}
