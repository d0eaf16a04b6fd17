//! A real Prometheus, and its own tool.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use docket_loopback::free_address;
use serde_json::{Value, json};

use crate::process::{Process, mortal};
use crate::tool::tool;

/// Runs promtool with `arguments`.
///
/// # Errors
/// There is none, or what it says against them.
pub fn promtool(arguments: &[OsString]) -> Result<()> {
    let output = Command::new(tool("promtool")?).args(arguments).output()?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
    Ok(())
}

/// Starts a Prometheus that scrapes `target` every second and gives what it finds these `labels`; it, and
/// its URL. Files go to `folder`.
///
/// # Errors
/// There is none, or the folder cannot be written.
pub fn scraper(folder: &Path, target: &str, labels: &Value) -> Result<(Process, String)> {
    let address = free_address()?;
    std::fs::create_dir_all(folder)?;
    let config = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{
            "job_name": "tenants",
            "static_configs": [{"targets": [target], "labels": labels}],
        }],
    });
    let file = folder.join("prometheus.yaml");
    std::fs::write(&file, config.to_string())?;
    let mut command = mortal(&tool("prometheus")?, "KILL");
    command.args([
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", folder.join("data").display()),
        format!("--web.listen-address={address}"),
        "--log.level=warn".into(),
    ]);
    let process = Process::start(command, folder.join("log"))?;
    Ok((process, format!("http://{address}")))
}
