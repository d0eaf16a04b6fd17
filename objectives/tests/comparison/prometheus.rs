//! A real Prometheus that knows what happened in each situation.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use docket_objectives::Sample;
use docket_testing_support::{Process, mortal, tool};
use serde_json::Value;
use tempfile::TempDir;

use crate::situation::{PERIOD_MINUTES, Situation};

/// The moment that is asked about, in seconds; a whole number of five minutes.
const NOW: u32 = 1_702_592_100;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// It, until it is dropped.
pub struct Prometheus {
    _process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// One that scraped the pods of `situations`.
    pub fn of(situations: &[Situation]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_blocks(situations, folder.path());
        std::fs::write(folder.path().join("prometheus.yaml"), "{}").expect("written");
        let address = docket_loopback::free_address().expect("an address");
        let mut command = mortal(&tool("prometheus").expect("a Prometheus"), "KILL");
        command
            .args([
                "--config.file=prometheus.yaml",
                "--storage.tsdb.path=data",
                "--storage.tsdb.retention.time=100y",
            ])
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder.path());
        let process = Process::start(command, folder.path().join("log")).expect("a process");
        let started = Self {
            _process: process,
            address,
            _folder: folder,
        };
        let since = Instant::now();
        while started.answer("vector(1)").is_none() {
            assert!(
                since.elapsed() < PATIENCE,
                "it does not start: run `make control-plane-tools`"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        started
    }

    /// What `query` is answered.
    pub fn ask(&self, query: &str) -> Vec<Sample> {
        let answer = self.answer(query).expect("an answer");
        assert_eq!(answer["status"], "success", "{query}\n{answer}");
        let result = answer["data"]["result"].as_array().expect("a vector");
        result.iter().map(sample).collect()
    }

    /// None before it has started.
    fn answer(&self, query: &str) -> Option<Value> {
        let query = query.bytes().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "%{byte:02X}");
            text
        });
        let body = format!("time={NOW}&query={query}");
        let head = format!(
            "POST /api/v1/query HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.write_all((head + &body).as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }
}

fn sample(series: &Value) -> Sample {
    let labels: HashMap<String, String> =
        serde_json::from_value(series["metric"].clone()).expect("labels");
    let value = series["value"][1].as_str().expect("a value");
    Sample {
        labels,
        value: value.parse().expect("a number"),
    }
}

/// Writes the series to `folder`, as a Prometheus keeps them.
fn write_blocks(situations: &[Situation], folder: &Path) {
    let mut text = String::new();
    for minute in 0..=PERIOD_MINUTES {
        let time = NOW - 60 * (PERIOD_MINUTES - minute);
        for series in situations.iter().flat_map(|it| &it.series) {
            if let Some(value) = series.at(minute) {
                let _ = writeln!(text, "{} {value} {time}", series.name);
            }
        }
    }
    text.push_str("# EOF\n");
    std::fs::write(folder.join("series.txt"), text).expect("written");
    let output = Command::new(tool("promtool").expect("promtool"))
        .args(["tsdb", "create-blocks-from", "--max-block-duration=1000h"])
        .args(["openmetrics", "series.txt", "data"])
        .current_dir(folder)
        .output()
        .expect("promtool");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
