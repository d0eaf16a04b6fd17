//! A Postgres of its own for a test, on a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

const SUPERUSER: &str = "postgres";
/// Its password.
pub const PASSWORD: &str = "superuser";

/// A server; it stops, and its data goes, on drop.
pub struct Postgres(TempDir);

impl Postgres {
    /// Starts a server that asks everyone for a password.
    pub fn start() -> Self {
        let postgres = Self(folder());
        copy(template(), &postgres.data());
        give_away(postgres.folder());
        postgres.resume();
        postgres
    }

    /// Starts the server again after [`stop`](Self::stop).
    pub fn resume(&self) {
        let options = format!(
            "-c listen_addresses='' -k {} -c fsync=off",
            path(self.folder())
        );
        let (data, log) = (self.data(), self.folder().join("log"));
        let start = [
            "start",
            "--wait",
            "-D",
            path(&data),
            "-l",
            path(&log),
            "-o",
            &options,
        ];
        run(program("pg_ctl").args(start));
    }

    /// Stops the server at once, as a crash would.
    pub fn stop(&self) {
        let data = self.data();
        run(program("pg_ctl").args(["stop", "--wait", "-D", path(&data), "-m", "immediate"]));
    }

    /// The folder of the socket: what a client takes as the host.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The Secret that names the server, for the administrator `username`.
    pub fn secret(&self, username: &str, password: &str) -> Vec<(&'static str, String)> {
        vec![
            ("host", path(self.folder()).to_owned()),
            ("dbname", "postgres".into()),
            ("username", username.to_owned()),
            ("password", password.to_owned()),
            ("sslmode", "disable".into()),
        ]
    }

    /// Logs in.
    pub async fn login(&self, role: &str, password: &str) -> sqlx::Result<PgConnection> {
        PgConnectOptions::new_without_pgpass()
            .host(path(self.folder()))
            .database("postgres")
            .username(role)
            .password(password)
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
    }

    /// Runs `sql` as the superuser.
    pub async fn run(&self, sql: &str) {
        let mut connection = self.login(SUPERUSER, PASSWORD).await.expect("a superuser");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .expect(sql);
    }

    /// Runs `pg_dump` or `psql` against the database, as the superuser.
    pub fn tool(&self, name: &str, arguments: &[&str]) {
        run(Command::new(name)
            .args([
                "--host",
                path(self.folder()),
                "--username",
                SUPERUSER,
                "--dbname",
                "postgres",
            ])
            .args(arguments)
            .env("PGPASSWORD", PASSWORD));
    }

    /// The one value that `sql` asks for.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.login(SUPERUSER, PASSWORD).await.expect("a superuser");
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut connection)
            .await
            .expect(sql)
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop();
        }
    }
}

fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp");
    folder.expect("a folder")
}

/// The data of a server that nobody used, made once and kept: making it takes longer than a test.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
        if !template.exists() {
            let folder = folder();
            let (data, password) = (folder.path().join("data"), folder.path().join("password"));
            std::fs::write(&password, PASSWORD).expect("written");
            give_away(folder.path());
            let auth = [
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth",
                "scram-sha-256",
                "--pwfile",
                path(&password),
                "--no-sync",
            ];
            run(program("initdb")
                .args(["--pgdata", path(&data), "--username", SUPERUSER])
                .args(auth));
            let new = template.with_extension(std::process::id().to_string());
            copy(&data, &new);
            // Another test binary may have been faster.
            let _ = std::fs::rename(&new, &template);
        }
        template
    })
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").args(["-r", "--preserve=mode", path(from), path(to)]));
}

/// To the user that the server runs as.
fn give_away(folder: &Path) {
    if is_root() {
        run(Command::new("chown").args(["-R", "nobody", path(folder)]));
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Postgres refuses to run as root.
fn program(name: &str) -> Command {
    let program = binaries().join(name);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid",
        "nobody",
        "--regid",
        "nogroup",
        "--clear-groups",
        "--",
    ]);
    command.arg(program);
    command
}

fn run(command: &mut Command) {
    // A server that inherited a pipe would keep it open.
    let status = command
        .current_dir("/tmp")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(status.success(), "{command:?}");
}

/// Where `initdb` and `pg_ctl` are: `PG_BIN`, the `PATH`, or where Debian puts them.
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::var_os("PG_BIN")
        .map(PathBuf::from)
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/lib/postgresql/15/bin")])
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .expect("these tests need Postgres: install postgresql-15, or set PG_BIN to the folder of initdb")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
