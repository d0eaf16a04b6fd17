//! What the operator takes for many tenants, on a control plane of plain processes.
//!
//! Start reading at [`Arguments`]. Each part runs on a [`stage`] of its own; [`table`] says what must
//! be reached.

mod bare_loop;
mod change;
mod count;
mod operator;
mod ready;
mod stage;
mod steady;
mod table;
mod tenants;
mod usage;
mod watch;
mod writes;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

use crate::ready::Run;
use crate::stage::Stage;
use crate::table::Measured;

/// Measures the operator with many tenants.
///
/// Each tenant has a namespace of its own, one client and two pods. etcd, kube-apiserver,
/// kube-controller-manager, kube-scheduler and Postgres are the real ones, durable; kwok plays nodes
/// and pods. Progress goes to stderr, the table to stdout and to --output.
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
struct Arguments {
    /// What to measure, of `ready` (apply to all Ready, memory, a change, steady state, a restart),
    /// `loop` (the same objects and SQL without an operator) and `count` (requests of each tenant).
    #[arg(value_enum, default_values_t = [Part::Ready, Part::Loop, Part::Count])]
    parts: Vec<Part>,
    /// Numbers of tenants for `ready` and `loop`, ascending.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000])]
    tenants: Vec<usize>,
    /// Numbers of tenants for `count`, ascending.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1_000])]
    count: Vec<usize>,
    /// Of the numbers for `ready`, the one at which a change, steady state and a restart are measured.
    #[arg(long, default_value_t = 1_000)]
    among: usize,
    /// Seconds that the steady state is looked at.
    #[arg(long, default_value_t = 60)]
    steady: u64,
    /// Tenants that the operator, and the loop, work on at a time; the operator's default.
    #[arg(long, default_value_t = 16)]
    concurrency: u16,
    /// One stage for all parts: quicker, and what is measured later has more beside it.
    #[arg(long)]
    one_stage: bool,
    /// File for the table.
    #[arg(long)]
    output: Option<PathBuf>,
    /// The operator's program, a release build.
    #[arg(long, env = "DOCKET_OPERATOR")]
    operator: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Ready,
    Loop,
    Count,
}

/// Changes of one spec of which the slowest counts.
const CHANGES: usize = 10;

/// Says on stderr what goes on.
fn progress(what: &str) {
    eprintln!("==> {what}");
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok()
        .context("a TLS provider is already installed")?;
    let measured = Bench::new(arguments).run().await?;
    std::io::stdout().write_all(measured.as_bytes())?;
    Ok(())
}

struct Bench {
    arguments: Arguments,
    /// The one that all parts share, if they do.
    stage: Option<Stage>,
    /// Tenants that are on it.
    used: usize,
    measured: Measured,
}

impl Bench {
    fn new(arguments: Arguments) -> Self {
        Self {
            arguments,
            stage: None,
            used: 0,
            measured: Measured::default(),
        }
    }

    async fn run(mut self) -> Result<String> {
        // On a stage that all share, the loop comes last: what it leaves is no operator's.
        for part in [Part::Ready, Part::Count, Part::Loop] {
            if !self.arguments.parts.contains(&part) {
                continue;
            }
            let counts = match part {
                Part::Count => self.arguments.count.clone(),
                Part::Ready | Part::Loop => self.arguments.tenants.clone(),
            };
            for count in counts {
                match part {
                    Part::Ready => self.ready(count).await?,
                    Part::Count => self.count(count).await?,
                    Part::Loop => self.bare_loop(count).await?,
                }
                self.write()?;
            }
        }
        Ok(self.measured.markdown())
    }

    /// After each part, so that one that fails takes nothing along.
    fn write(&self) -> Result<()> {
        if let Some(file) = &self.arguments.output {
            std::fs::write(file, self.measured.markdown())
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(())
    }

    /// A stage, and the first number of a tenant that is not on it.
    async fn enter(&mut self) -> Result<(Stage, usize)> {
        match self.stage.take() {
            Some(stage) => Ok((stage, self.used)),
            None => {
                self.used = 0;
                Ok((Stage::start().await?, 0))
            }
        }
    }

    fn leave(&mut self, stage: Stage, used: usize) {
        self.used = used;
        self.stage = self.arguments.one_stage.then_some(stage);
    }

    async fn count(&mut self, count: usize) -> Result<()> {
        let (stage, first) = self.enter().await?;
        progress(&format!("counting what {count} tenants take"));
        let Arguments {
            operator,
            concurrency,
            ..
        } = &self.arguments;
        let numbers = first..first + count;
        let counted = count::count(&stage, operator, *concurrency, numbers).await?;
        self.measured.counts.push(counted);
        self.leave(stage, first + count);
        Ok(())
    }

    async fn ready(&mut self, count: usize) -> Result<()> {
        let (stage, first) = self.enter().await?;
        let Arguments {
            operator: binary,
            concurrency,
            among,
            steady,
            ..
        } = &self.arguments;
        let numbers = first..first + count;
        let (run, operator) = ready::run(&stage, binary, *concurrency, numbers).await?;
        self.measured.runs.push(run);
        // What follows takes minutes: it must not take this along when it fails.
        self.write()?;
        if *among == count {
            let time = Duration::from_secs(*steady);
            self.measured.steady = Some(steady::look_on(&stage, &operator, time).await?);
            let total = first + count;
            let (restart, operator) =
                steady::restart(&stage, operator, binary, *concurrency, total).await?;
            self.measured.restart = Some(restart);
            self.measured.changes = changes(&stage, first, count).await?;
            self.measured.among = count;
            operator.stop();
        }
        self.leave(stage, first + count);
        Ok(())
    }

    async fn bare_loop(&mut self, count: usize) -> Result<()> {
        let (stage, first) = self.enter().await?;
        let Arguments {
            operator: binary,
            concurrency,
            ..
        } = &self.arguments;
        let children = bare_loop::learn(&stage, binary, *concurrency, first).await?;
        let numbers = first + 1..first + 1 + count;
        let address = tenants::Address::direct(&stage);
        tenants::furnish(&stage, numbers.clone(), &address).await?;
        progress(&format!(
            "creating {count} tenants of {} children without an operator",
            children.count()
        ));
        let before = stage.usage(None);
        let times = bare_loop::run(&stage, &children, numbers.clone(), *concurrency).await?;
        self.measured.loops.push(Run {
            tenants: count,
            times,
            used: stage.usage(None).since(&before),
            resident: 0,
            most_resident: 0,
        });
        self.leave(stage, numbers.end);
        Ok(())
    }
}

async fn changes(stage: &Stage, first: usize, count: usize) -> Result<Vec<change::Change>> {
    progress("changing one spec at a time");
    let mut changes = Vec::new();
    for number in (first..first + count).step_by((count / CHANGES).max(1)) {
        changes.push(change::change(stage, number).await?);
    }
    Ok(changes)
}
