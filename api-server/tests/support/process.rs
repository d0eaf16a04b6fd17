//! A server in a process of its own, at an address that stays the same when it starts again.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A server that can be killed and started again; it is killed on drop.
pub struct Process {
    command: Command,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it prints goes to the file `log`.
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).expect("a log");
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file);
        let child = command.spawn().expect("a process");
        Self {
            command,
            child,
            log,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("an end");
    }

    /// Starts the same command again after [`kill`](Self::kill).
    pub fn resume(&mut self) {
        self.child = self.command.spawn().expect("a process");
    }

    /// Stops it in its tracks: its connections stay and bring no answer.
    pub fn freeze(&self) {
        signal("STOP", &[self.id()]);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal("CONT", &[self.id()]);
    }

    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The most memory that it had at once, in MiB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("a running process");
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("a peak");
        let kib = peak.trim_end_matches("kB").trim();
        kib.parse::<u64>().expect("a number") / 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends `signal`, such as `KILL`, to all `processes` at once.
pub fn signal(signal: &str, processes: &[u32]) {
    let sent = Command::new("kill")
        .arg(format!("-{signal}"))
        .args(processes.iter().map(u32::to_string))
        .stderr(Stdio::null())
        .status();
    // Some may have ended by themselves meanwhile.
    sent.expect("kill");
}
