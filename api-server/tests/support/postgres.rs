//! A Postgres of its own for a test, on a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use docket_schema::{BOOTSTRAP, Identity, Owner, Provision, provision};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

use super::process::signal;
use super::{CLIENTS, Tenancy, password};

const SUPERUSER: &str = "postgres";
const SUPERUSER_PASSWORD: &str = "superuser";

/// A server; it stops, and its data goes, on drop.
pub struct Postgres {
    folder: TempDir,
    fsync: bool,
}

impl Postgres {
    /// Starts a server that asks everyone for a password.
    pub fn start() -> Self {
        Self::make(false)
    }

    /// The same, with what it commits synced to the disk as in production.
    pub fn start_durable() -> Self {
        Self::make(true)
    }

    fn make(fsync: bool) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("pg")
            .tempdir_in("/tmp")
            .expect("a folder");
        std::fs::write(folder.path().join("password"), SUPERUSER_PASSWORD).expect("written");
        give_away(folder.path());
        let postgres = Self { folder, fsync };
        let data = postgres.data();
        let password = postgres.host().join("password");
        postgres.run(
            "initdb",
            &[
                "--pgdata",
                &data,
                "--username",
                SUPERUSER,
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth",
                "scram-sha-256",
                "--pwfile",
            ]
            .into_iter()
            .chain([password.to_str().expect("UTF-8")])
            .chain(["--no-sync"])
            .collect::<Vec<_>>(),
        );
        postgres.resume();
        postgres
    }

    /// Starts the server again after [`stop`](Self::stop).
    pub fn resume(&self) {
        let options = format!(
            "-c listen_addresses='' -k {} -c fsync={}",
            self.host().display(),
            self.fsync,
        );
        let log = self.host().join("log");
        let log = log.to_str().expect("UTF-8");
        self.run(
            "pg_ctl",
            &[
                "start",
                "--wait",
                "-D",
                &self.data(),
                "-l",
                log,
                "-o",
                &options,
            ],
        );
    }

    /// Stops the server at once, as a crash would for those who are connected.
    pub fn stop(&self) {
        self.run(
            "pg_ctl",
            &["stop", "--wait", "-D", &self.data(), "-m", "immediate"],
        );
    }

    /// Ends every process of the server with SIGKILL.
    pub fn kill(&self) {
        let processes = self.processes();
        signal("KILL", &processes);
        // Their shared memory must be free before the next start.
        while processes.iter().any(|it| is_alive(*it)) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        // Until somebody reaps it, a dead postmaster would look as if it held the folder.
        for lock in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
            std::fs::remove_file(self.host().join(lock)).expect("removed");
        }
    }

    /// Stops every process of the server in its tracks: who asks gets no answer and no refusal.
    pub fn freeze(&self) {
        signal("STOP", &self.processes());
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        signal("CONT", &self.processes());
    }

    /// The postmaster, then its children.
    fn processes(&self) -> Vec<u32> {
        let file = Path::new(&self.data()).join("postmaster.pid");
        let file = std::fs::read_to_string(file).expect("a running server");
        let first = file.lines().next().expect("a line");
        let postmaster: u32 = first.parse().expect("a process id");
        let children = std::fs::read_dir("/proc").expect("/proc").flatten();
        let children = children
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|it| parent_and_state(*it).is_some_and(|(parent, _)| parent == postmaster));
        std::iter::once(postmaster).chain(children).collect()
    }

    /// The folder of the socket: what a client takes as the host.
    pub fn host(&self) -> &Path {
        self.folder.path()
    }

    pub async fn superuser(&self) -> PgConnection {
        self.login(SUPERUSER, SUPERUSER_PASSWORD)
            .await
            .expect("a superuser")
    }

    pub async fn login(&self, role: &str, password: &str) -> sqlx::Result<PgConnection> {
        PgConnectOptions::new_without_pgpass()
            .host(self.host().to_str().expect("UTF-8"))
            .database("postgres")
            .username(role)
            .password(password)
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
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

    fn data(&self) -> String {
        self.host().join("data").to_str().expect("UTF-8").to_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = binaries().join(program);
        let mut command = match is_root() {
            // Postgres refuses to run as root.
            true => {
                let mut command = Command::new("setpriv");
                command.args([
                    "--reuid",
                    "nobody",
                    "--regid",
                    "nogroup",
                    "--clear-groups",
                    "--",
                ]);
                command.arg(&program);
                command
            }
            false => Command::new(&program),
        };
        let output = command
            .args(arguments)
            .current_dir("/tmp")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{program:?} cannot be run: {error}"));
        assert!(
            output.status.success(),
            "{program:?} {arguments:?}\n{}{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            std::fs::read_to_string(self.host().join("log")).unwrap_or_default(),
        );
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if Path::new(&self.data()).join("postmaster.pid").exists() {
            self.thaw();
            self.stop();
        }
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
        version: 0,
    })
}

/// Where `initdb` and `pg_ctl` are: `PG_BIN`, the `PATH`, or where Debian puts them.
fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::var_os("PG_BIN")
            .map(PathBuf::from)
            .into_iter()
            .chain(std::env::split_paths(&path))
            .chain([PathBuf::from("/usr/lib/postgresql/15/bin")])
            .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
            .expect("these tests need Postgres: install postgresql-15, or set PG_BIN to the folder of initdb")
    })
}

/// From `/proc/<id>/stat`; the program's name before them ends with the last bracket.
fn parent_and_state(process: u32) -> Option<(u32, char)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

fn is_alive(process: u32) -> bool {
    parent_and_state(process).is_some_and(|(_, state)| state != 'Z')
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .any(|line| line.split_whitespace().take(2).eq(["Uid:", "0"]))
}

fn give_away(folder: &Path) {
    if is_root() {
        let folder = folder.to_str().expect("UTF-8");
        let given = Command::new("chown")
            .args(["-R", "nobody:nogroup", folder])
            .status();
        assert!(given.is_ok_and(|status| status.success()), "chown {folder}");
    }
}
