//! A process of a test, which can be killed, stopped in its tracks, and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result};

/// Lines of a log that say why something ended.
const LAST_WORDS: usize = 20;

/// A child of ours; it is killed on drop.
#[derive(Debug)]
pub struct Process {
    command: Command,
    child: Child,
    log: PathBuf,
}

/// `program` in front of which the kernel is told to send it `signal` when its parent ends.
#[must_use]
pub fn mortal(program: &Path, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    command
}

impl Process {
    /// Starts `command`; what it prints is appended to the file `log`.
    ///
    /// # Errors
    /// The program is not there, or the log cannot be written.
    pub fn start(mut command: Command, log: PathBuf) -> Result<Self> {
        let file = File::options().create(true).append(true).open(&log)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = spawn(&mut command)?;
        Ok(Self {
            command,
            child,
            log,
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL; returns when it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end with `signal`; returns when it is gone.
    pub fn end(&mut self, signal: &str) {
        if self.ended().is_none() {
            self::signal(signal, &[self.id()]);
            let _ = self.child.wait();
        }
    }

    /// Starts the same command again, once it has ended.
    ///
    /// # Panics
    /// The program is no longer there.
    pub fn resume(&mut self) {
        self.child = spawn(&mut self.command).expect("a command that was started before");
    }

    /// Stops it in its tracks: its connections stay and bring no answer.
    pub fn freeze(&self) {
        signal("STOP", &[self.id()]);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal("CONT", &[self.id()]);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// All that it printed.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines that it printed.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n")
    }

    /// The most memory that it had at once, in MiB.
    ///
    /// # Panics
    /// It has ended.
    #[must_use]
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
        self.kill();
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    command
        .spawn()
        .with_context(|| format!("{command:?} cannot be started"))
}

/// Sends `signal`, such as `KILL`, to all `processes` at once.
///
/// # Panics
/// There is no command `kill`.
pub fn signal(signal: &str, processes: &[u32]) {
    let sent = Command::new("kill")
        .arg(format!("-{signal}"))
        .args(processes.iter().map(u32::to_string))
        .stderr(Stdio::null())
        .status();
    // Some may have ended by themselves meanwhile.
    sent.expect("kill");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command, folder.join("log")).expect("a shell")
    }

    #[test]
    fn a_process_that_is_killed_starts_again_and_its_log_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = shell("echo here; exec sleep 600", folder.path());
        let first = process.id();
        for lines in 1..=2 {
            while process.log().lines().count() < lines {
                assert!(process.ended().is_none());
            }
            process.kill();
            assert!(process.ended().is_some());
            process.resume();
        }
        assert_ne!(process.id(), first);
    }

    #[test]
    fn what_ends_by_itself_is_told_and_leaves_its_last_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = shell("seq 1 30; exit 3", folder.path());
        let status = loop {
            if let Some(status) = process.ended() {
                break status;
            }
        };
        assert_eq!(status.code(), Some(3));
        let words = process.last_words();
        assert!(
            words.starts_with("11\n") && words.ends_with("\n30"),
            "{words}"
        );
    }
}
