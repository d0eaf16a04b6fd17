//! What the process sees to before it serves anybody: its open files, its connections, and who looks into it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use serde_json::Value;

use crate::support::Tenancy;

const SERVER: &str = env!("CARGO_BIN_EXE_docket-api-server");

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that `command` begins, and the line of its log that says what it serves.
fn serving(mut command: Command, tenancy: &Tenancy) -> (Running, Value) {
    command
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env_remove("RUST_LOG")
        .arg("--config")
        .arg(tenancy.config_file())
        .args([
            "--listen=127.0.0.1:0",
            "--data-store-listen=127.0.0.1:0",
            "--operations-listen=127.0.0.1:0",
        ])
        .stdout(Stdio::piped());
    let mut running = Running(command.spawn().expect("a process"));
    let stdout = running.0.stdout.take().expect("stdout");
    let lines = BufReader::new(stdout).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.expect("a line")));
    let line = lines.find_map(|line| line.ok().filter(|line| line["listen"].is_string()));
    (running, line.expect("it serves"))
}

/// The soft and the hard limit of open files of `process`.
fn open_files(process: &Running) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.0.id()));
    let limits = limits.expect("limits");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let numbers = files.expect("a line").split_whitespace().skip(3).take(2);
    numbers.map(str::to_owned).collect()
}

#[test]
fn it_takes_the_open_files_that_it_may_have_and_no_more_callers_than_files_and_memory_are_there_for()
 {
    let tenancy = Tenancy::without_database("ApiKey");
    for (limits, memory, files, connections) in [
        ("ulimit -Sn 300; ulimit -Hn 4096", 256, "4096", 864),
        ("ulimit -n 400", 256, "400", 150),
        ("ulimit -n 4096", 128, "4096", 352),
    ] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits}; exec \"$0\" \"$@\""), SERVER]);
        shell.arg(format!("--memory={}", memory << 20));
        let (running, line) = serving(shell, &tenancy);
        assert_eq!(open_files(&running), [files, files], "{limits}");
        assert_eq!(line["connections"], connections, "{limits}, {memory} MiB");
    }
}

/// `program` with the rights of its user alone: root without its capabilities is one like any other.
fn without_capabilities(program: &str) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--", program]);
    command
}

/// Whether another process of the same user reads the environment of `process`.
fn is_looked_into(process: &Running) -> bool {
    let mut cat = without_capabilities("cat");
    cat.arg(format!("/proc/{}/environ", process.0.id()));
    let status = cat.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.expect("an end").success()
}

#[test]
fn no_other_process_of_its_user_looks_into_it() {
    let mut sleep = without_capabilities("sleep");
    let sleep = Running(sleep.arg("600").spawn().expect("a process"));
    let begin = Instant::now();
    while !is_looked_into(&sleep) {
        // Until it is the program that it is to be, it is still this test.
        assert!(begin.elapsed() < Duration::from_secs(30), "nobody can look");
        std::thread::yield_now();
    }
    let tenancy = Tenancy::without_database("ApiKey");
    let (server, _) = serving(without_capabilities(SERVER), &tenancy);
    assert!(!is_looked_into(&server));
}
