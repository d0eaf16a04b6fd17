//! A Postgres of its own, on a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::binary;
use crate::fidelity::Fidelity;
use crate::process::Process;

const SUPERUSER: &str = "postgres";
/// Who the operator logs in as: no superuser, as the documentation asks.
pub const ADMIN: &str = "docket_admin";
/// The password of the operator's role, and of the superuser.
pub const PASSWORD: &str = "for-tests-only";

const PATIENCE: Duration = Duration::from_secs(30);

/// A server; it stops, and its data goes, on drop.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server that asks everyone for a password.
    ///
    /// # Errors
    /// Postgres is not installed, or does not start.
    pub async fn start(fidelity: Fidelity) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("docket-matrix-pg")
            .tempdir_in(fidelity.folder())?;
        std::fs::write(folder.path().join("password"), PASSWORD)?;
        give_away(folder.path())?;
        let data = folder.path().join("data");
        let made = as_nobody("initdb")?
            .args([
                "--username",
                SUPERUSER,
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth",
                "scram-sha-256",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(folder.path().join("password"))
            .arg("--pgdata")
            .arg(&data)
            .output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        // Looking around is cheap: the operator and its clients prove who they are.
        std::fs::write(
            data.join("pg_hba.conf"),
            "local all postgres trust\nlocal all all scram-sha-256\n",
        )?;
        let mut command = as_nobody("postgres")?;
        command
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "max_connections=1000"])
            .args(match fidelity {
                Fidelity::Swift => ["-c", "fsync=off", "-c", "full_page_writes=off"],
                // As a server of its own has it.
                Fidelity::Real => ["-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB"],
            });
        let process = Process::start(&mut command, folder.path().join("log"))?;
        let postgres = Self { process, folder };
        let start = Instant::now();
        let mut superuser = loop {
            match postgres.superuser("postgres").await {
                Ok(connection) => break connection,
                Err(error) if start.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let role = format!("CREATE ROLE {ADMIN} LOGIN CREATEROLE PASSWORD '{PASSWORD}'");
        sqlx::raw_sql(AssertSqlSafe(role))
            .execute(&mut superuser)
            .await?;
        superuser.close().await?;
        Ok(postgres)
    }

    /// Id of the process that started all others of the server.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The folder that its socket is in: a client that takes it for a host connects to the socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The socket that clients connect to.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
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

    /// A connection that may do everything.
    ///
    /// # Errors
    /// The database does not exist.
    pub async fn superuser(&self, database: &str) -> Result<PgConnection> {
        Ok(self.login(database, SUPERUSER, PASSWORD).await?)
    }

    /// A connection as `role`.
    ///
    /// # Errors
    /// The role cannot log in with that password.
    pub async fn login(
        &self,
        database: &str,
        role: &str,
        password: &str,
    ) -> sqlx::Result<PgConnection> {
        PgConnectOptions::new_without_pgpass()
            .host(self.folder.path().to_str().unwrap_or_default())
            .database(database)
            .username(role)
            .password(password)
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killed, it would leave its shared memory behind.
        self.process.end("QUIT");
    }
}

/// Postgres refuses to run as root.
fn as_nobody(program: &str) -> Result<Command> {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
    }
    // Its children end with it, and its shared memory goes.
    command
        .args(["--pdeathsig", "QUIT", "--"])
        .arg(binary::postgres(program)?)
        .current_dir("/tmp");
    Ok(command)
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .any(|line| line.split_whitespace().take(2).eq(["Uid:", "0"]))
}

fn give_away(folder: &Path) -> Result<()> {
    if is_root() {
        let given = Command::new("chown")
            .args(["-R", "nobody:nogroup"])
            .arg(folder)
            .status()?;
        if !given.success() {
            bail!("chown {} failed", folder.display());
        }
    }
    Ok(())
}
