//! The OpenTelemetry Collector: the very binary of our image.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::{Process, mortal};
use crate::tool::tool;

/// Name of the pod that it takes itself to be in.
pub const POD: &str = "acme-api-1";

/// A collector; it is killed on drop.
#[derive(Debug)]
pub struct Collector(Process);

impl Collector {
    /// Starts one with `configs`, merged in this order; what it prints is appended to the file `log`.
    ///
    /// # Errors
    /// There is no collector, or the log cannot be written.
    pub fn start(configs: &[PathBuf], log: PathBuf) -> Result<Self> {
        Self::start_with(configs, &[("POD_NAME", POD)], log)
    }

    /// The same with the variables that `configs` refer to, by name and value.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        configs: &[PathBuf],
        variables: &[(&str, &str)],
        log: PathBuf,
    ) -> Result<Self> {
        let mut command = mortal(&tool("otelcol")?, "KILL");
        command
            .args(arguments(configs))
            .envs(variables.iter().copied());
        Ok(Self(Process::start(command, log)?))
    }

    /// Whether a collector would start with `configs`.
    ///
    /// # Errors
    /// There is no collector, or what it says against them.
    pub fn validate(configs: &[PathBuf]) -> Result<()> {
        let mut command = Command::new(tool("otelcol")?);
        command.arg("validate").args(arguments(configs));
        let output = command.env("POD_NAME", POD).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}");
        Ok(())
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.0.ended()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL; returns when it is gone.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// All that it printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }
}

fn arguments(configs: &[PathBuf]) -> impl Iterator<Item = String> {
    configs
        .iter()
        .map(|config| format!("--config={}", config.display()))
}
