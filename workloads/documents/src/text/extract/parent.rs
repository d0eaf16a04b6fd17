//! Running the process that reads a file.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use docket_platform::error::Error;
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::{CONFINEMENT, Confinement, Format, SUBCOMMAND};
use crate::text::decode::decode;

/// Bytes of the largest file that is read.
pub(crate) const LARGEST: u64 = 64 * 1024 * 1024;
/// Time that a file has, from its first byte to its text.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of what the process says when it fails.
const LONGEST_SENTENCE: u64 = 512;
const LONGEST_TEXT: u64 = 4 * super::child::MOST_TEXT as u64;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The file's own fault, so that trying again does not help.
    #[error("{0}")]
    File(String),
    /// Not the file's fault.
    #[error("the process that reads files cannot be run: {0}")]
    Process(#[from] std::io::Error),
    #[error(transparent)]
    Content(#[from] Error),
}

/// Reads files, one at a time.
#[derive(Debug)]
pub(crate) struct Extractor {
    program: PathBuf,
    memory: u64,
    patience: Duration,
    turn: Semaphore,
}

impl Extractor {
    /// `program` is this server's own; its process may take so many bytes of `memory`.
    pub(crate) fn new(program: PathBuf, memory: u64) -> Self {
        Self {
            program,
            memory,
            patience: PATIENCE,
            turn: Semaphore::new(1),
        }
    }

    /// The text of the file whose bytes `content` brings.
    pub(crate) async fn extract(
        &self,
        format: Format,
        content: impl Stream<Item = object_store::Result<Bytes>> + Unpin,
    ) -> Result<String, Failure> {
        self.run(format.as_str(), content).await
    }

    /// What a process that reads a file may no longer do on this machine.
    pub(crate) async fn confinement(&self) -> Result<Confinement, Failure> {
        let told = self.run(CONFINEMENT, futures::stream::empty()).await?;
        Ok(Confinement::parse(&told))
    }

    async fn run(
        &self,
        what: &str,
        content: impl Stream<Item = object_store::Result<Bytes>> + Unpin,
    ) -> Result<String, Failure> {
        let _turn = self.turn.acquire().await;
        // With nothing of the server's environment, which has credentials in it.
        let mut child = Command::new(&self.program)
            .args([SUBCOMMAND, what, &self.memory.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        match tokio::time::timeout(self.patience, converse(&mut child, content)).await {
            Ok(text) => text,
            Err(_) => Err(Failure::File("it takes too long to read".to_owned())),
        }
    }
}

async fn converse(
    child: &mut Child,
    mut content: impl Stream<Item = object_store::Result<Bytes>> + Unpin,
) -> Result<String, Failure> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let send = async {
        let Some(mut stdin) = stdin else {
            return Ok(());
        };
        while let Some(chunk) = content.next().await {
            let chunk = chunk.map_err(Error::from)?;
            // A process that has ended says why by its exit code.
            if stdin.write_all(&chunk).await.is_err() {
                break;
            }
        }
        Ok::<_, Failure>(())
    };
    let receive = async {
        let mut text = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(LONGEST_TEXT).read_to_end(&mut text).await?;
        }
        Ok::<_, Failure>(text)
    };
    let listen = async {
        let mut sentence = Vec::new();
        if let Some(stderr) = stderr {
            stderr
                .take(LONGEST_SENTENCE)
                .read_to_end(&mut sentence)
                .await?;
        }
        Ok::<_, Failure>(sentence)
    };
    let ((), text, sentence) = tokio::try_join!(send, receive, listen)?;
    let status = child.wait().await?;
    match status.success() {
        true => Ok(decode(&text)),
        false => {
            let sentence = String::from_utf8_lossy(&sentence);
            let sentence = sentence.lines().next().unwrap_or_default();
            Err(Failure::File(format!(
                "it cannot be read: {status} {sentence}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    /// Runs `script` in the place of the process that reads, for half a second at most.
    async fn run(folder: &Path, script: &str, content: &'static [u8]) -> Result<String, Failure> {
        let program = folder.join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        let executable = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&program, executable).expect("executable");
        let extractor = Extractor {
            patience: Duration::from_millis(500),
            ..Extractor::new(program, u64::MAX)
        };
        let content = futures::stream::iter([Ok(Bytes::from_static(content))]);
        extractor.extract(Format::Pdf, content).await
    }

    #[tokio::test]
    async fn a_process_that_takes_too_long_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid = folder.path().join("pid");
        let script = format!("echo $$ > {}; exec sleep 600", pid.display());
        let failure = run(folder.path(), &script, b"x").await;
        assert!(matches!(failure, Err(Failure::File(_))), "{failure:?}");
        let pid = std::fs::read_to_string(pid).expect("it ran");
        let status = format!("/proc/{}/status", pid.trim());
        let begin = std::time::Instant::now();
        while std::fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ")) {
            assert!(begin.elapsed() < Duration::from_secs(30), "it still runs");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_a_process_says_is_the_text_and_only_if_it_ends_well() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = run(folder.path(), "cat", b"An offer").await;
        assert_eq!(text.expect("a text"), "An offer");
        let failure = run(folder.path(), "echo half; echo why >&2; exit 1", b"x").await;
        let sentence = failure.expect_err("no text").to_string();
        assert!(sentence.contains("why"), "{sentence}");
        let environment = run(
            folder.path(),
            "/usr/bin/env | /bin/grep -v -E '^(PWD|SHLVL|_|OLDPWD)='",
            b"",
        )
        .await;
        assert!(environment.is_err_and(|error| error.to_string().contains("exit status: 1")));
    }
}
