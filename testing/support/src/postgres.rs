//! A Postgres of its own for a test, on a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, PgConnection};
use tempfile::TempDir;

use crate::process::{Process, signal};
use crate::tool::{postgres_tool, tool};

/// Who may do everything.
pub const SUPERUSER: &str = "postgres";
/// The password.
pub const SUPERUSER_PASSWORD: &str = "for-tests-only";

/// How long a server may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Versions of servers beside the one that the machine has: the oldest and the newest that are supported, and the
/// first whose administrator needs a right on each role.
pub const OTHER_VERSIONS: [&str; 3] = ["14", "16", "18"];

/// What a server is to be.
#[derive(Clone, Copy, Debug)]
pub struct PostgresSetup<'a> {
    /// One of [`OTHER_VERSIONS`], or none for the one that the machine has.
    pub version: Option<&'a str>,
    /// The folder in which that of the server is made.
    pub parent: &'a Path,
    /// Settings such as `fsync=off`.
    pub settings: &'a [&'a str],
    /// Whether the superuser needs no password: to prove who one is takes longer than to look around.
    pub trusts_superuser: bool,
}

impl Default for PostgresSetup<'_> {
    /// A server that asks everyone for a password, has room for a tenant's pods, and would lose data with the
    /// machine.
    fn default() -> Self {
        Self {
            version: None,
            parent: Path::new("/tmp"),
            settings: &["fsync=off", "max_connections=400"],
            trusts_superuser: false,
        }
    }
}

/// A server; it stops, and its data goes, on drop.
#[derive(Debug)]
pub struct Postgres {
    process: Mutex<Process>,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server, and waits until it can be asked.
    ///
    /// # Errors
    /// Postgres is not installed, or does not start.
    pub fn start(setup: &PostgresSetup<'_>) -> Result<Self> {
        let folder = folder(setup.parent)?;
        let data = folder.path().join("data");
        let programs = programs(setup.version, folder.path())?;
        copy(&template(&programs)?, &data)?;
        if setup.trusts_superuser {
            std::fs::write(
                data.join("pg_hba.conf"),
                format!("local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"),
            )?;
        }
        give_away(folder.path())?;
        let mut command = as_nobody(&programs.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(folder.path());
        for setting in ["listen_addresses="].iter().chain(setup.settings) {
            command.args(["-c", setting]);
        }
        let process = Process::start(command, folder.path().join("log"))?;
        let postgres = Self {
            process: Mutex::new(process),
            folder,
        };
        postgres.wait()?;
        Ok(postgres)
    }

    /// Starts the server again after [`stop`](Self::stop) or [`kill`](Self::kill), and waits until it can be asked.
    ///
    /// # Panics
    /// It does not start.
    pub fn resume(&self) {
        self.process().resume();
        self.wait().expect("a server that started before");
    }

    /// Stops the server at once, as a crash would for those who are connected.
    pub fn stop(&self) {
        // Killed, it would leave its shared memory behind.
        self.process().end("QUIT");
    }

    /// Ends every process of the server with SIGKILL.
    ///
    /// # Panics
    /// It does not run.
    pub fn kill(&self) {
        let processes = self.processes();
        signal("KILL", &processes);
        self.process().kill();
        // Their shared memory must be free before the next start.
        while processes.iter().any(|it| is_alive(*it)) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Another process may get its id meanwhile, and would look as if it held the folder.
        for lock in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
            let lock = self.folder().join(lock);
            std::fs::remove_file(lock).expect("the lock of a server that ran");
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

    /// Id of the process that started all others of the server.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process().id()
    }

    /// The folder that its socket is in: a client that takes it for a host connects to the socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The socket that clients connect to.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder().join(".s.PGSQL.5432")
    }

    /// A connection to `database` that may do everything.
    ///
    /// # Errors
    /// The database does not exist, or the server does not run.
    pub async fn superuser(&self, database: &str) -> sqlx::Result<PgConnection> {
        self.login(database, SUPERUSER, SUPERUSER_PASSWORD).await
    }

    /// A connection to `database` as `role`.
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
            .host(self.folder().to_str().unwrap_or_default())
            .database(database)
            .username(role)
            .password(password)
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The postmaster, then its children.
    fn processes(&self) -> Vec<u32> {
        let postmaster = self.id();
        let children = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let children = children
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|it| parent_and_state(*it).is_some_and(|(parent, _)| parent == postmaster));
        std::iter::once(postmaster).chain(children).collect()
    }

    /// Waits until the server says of itself that it can be asked, where `pg_ctl` looks for it too.
    fn wait(&self) -> Result<()> {
        let file = self.folder().join("data/postmaster.pid");
        let start = Instant::now();
        loop {
            let said = std::fs::read_to_string(&file).unwrap_or_default();
            if said.lines().nth(7).map(str::trim) == Some("ready") {
                return Ok(());
            }
            let mut process = self.process();
            if process.ended().is_some() || start.elapsed() > PATIENCE {
                bail!("Postgres does not start:\n{}", process.last_words());
            }
            drop(process);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.process().ended().is_none() {
            self.thaw();
            self.stop();
        }
    }
}

/// The data of a server that nobody used, made once and kept beside the tests' binaries: making it takes
/// longer than a test.
fn template(programs: &Path) -> Result<PathBuf> {
    let version = run(Command::new(programs.join("initdb")).arg("--version"))?;
    let version = String::from_utf8_lossy(&version.stdout);
    let version = version.split_whitespace().nth(2).context("a version")?;
    let binary = std::env::current_exe()?;
    let beside = binary.parent().context("a binary is in a folder")?;
    let template = beside.join(format!("postgres-{version}"));
    if !template.exists() {
        let folder = folder(Path::new("/tmp"))?;
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        std::fs::write(&password, SUPERUSER_PASSWORD)?;
        give_away(folder.path())?;
        run(as_nobody(&programs.join("initdb"))
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .args(["--auth=scram-sha-256", "--username", SUPERUSER])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data))?;
        let new = tempfile::Builder::new()
            .prefix("postgres-new")
            .tempdir_in(beside)?;
        copy(&data, &new.path().join("data"))?;
        // Another test may have been faster.
        let _ = std::fs::rename(new.path().join("data"), &template);
    }
    Ok(template)
}

/// Its path is short: that of a socket has 107 characters at most.
fn folder(parent: &Path) -> Result<TempDir> {
    Ok(tempfile::Builder::new()
        .prefix("docket-pg")
        .tempdir_in(parent)?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    run(Command::new("cp")
        .args(["-r", "--preserve=mode,links"])
        .args([from, to]))?;
    Ok(())
}

/// Postgres refuses to run as root; its children end with it, and it with the test.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
    }
    command
        .args(["--pdeathsig", "QUIT", "--"])
        .arg(program)
        .current_dir("/tmp");
    command
}

/// The folder of a version's programs. That of the cache may be closed to the user that a server runs as, so it
/// gets its own, in `folder`.
fn programs(version: Option<&str>, folder: &Path) -> Result<PathBuf> {
    let Some(version) = version else {
        let initdb = postgres_tool("initdb")?;
        return Ok(initdb.parent().context("a program is in a folder")?.into());
    };
    let server = folder.join("server");
    copy(&tool(&format!("postgresql-{version}"))?.join("."), &server)?;
    Ok(server.join("bin"))
}

/// To the user that the server runs as.
fn give_away(folder: &Path) -> Result<()> {
    if is_root() {
        run(Command::new("chown")
            .args(["-R", "nobody:nogroup"])
            .arg(folder))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<Output> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} cannot be run"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(output)
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .any(|line| line.split_whitespace().take(2).eq(["Uid:", "0"]))
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

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection as _;

    async fn answers(postgres: &Postgres) -> bool {
        let Ok(mut connection) = postgres.superuser("postgres").await else {
            return false;
        };
        connection.ping().await.is_ok()
    }

    #[tokio::test]
    async fn a_server_that_was_stopped_or_killed_answers_again_and_not_before() {
        let postgres = Postgres::start(&PostgresSetup::default()).expect("a Postgres");
        assert!(answers(&postgres).await);
        postgres.stop();
        assert!(!answers(&postgres).await);
        postgres.resume();
        assert!(answers(&postgres).await);
        postgres.kill();
        assert!(!answers(&postgres).await);
        postgres.resume();
        assert!(answers(&postgres).await);
    }

    #[tokio::test]
    async fn a_frozen_server_answers_nobody_until_it_goes_on() {
        let postgres = Postgres::start(&PostgresSetup::default()).expect("a Postgres");
        postgres.freeze();
        let brief = Duration::from_millis(100);
        assert!(
            tokio::time::timeout(brief, answers(&postgres))
                .await
                .is_err()
        );
        postgres.thaw();
        assert!(answers(&postgres).await);
    }

    #[tokio::test]
    async fn a_password_is_asked_for_unless_the_superuser_is_trusted() {
        for (trusts_superuser, let_in) in [(false, false), (true, true)] {
            let setup = PostgresSetup {
                trusts_superuser,
                ..PostgresSetup::default()
            };
            let postgres = Postgres::start(&setup).expect("a Postgres");
            let login = postgres.login("postgres", SUPERUSER, "wrong").await;
            assert_eq!(login.is_ok(), let_in);
        }
    }

    #[test]
    fn a_server_that_does_not_start_says_why() {
        let setup = PostgresSetup {
            settings: &["no_such_setting=1"],
            ..PostgresSetup::default()
        };
        let error = Postgres::start(&setup).expect_err("it does not start");
        assert!(error.to_string().contains("no_such_setting"), "{error}");
    }
}
