//! What was measured, against what must be reached, as Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::change::Change;
use crate::count::Count;
use crate::ready::Run;
use crate::steady::{Restart, Steady};

/// Seconds for all tenants of a run, by their number.
const LIMITS: [(usize, f64); 3] = [(100, 8.0), (1_000, 90.0), (10_000, 900.0)];
/// MiB of the operator, by the number of tenants.
const MEMORY: [(usize, f64); 2] = [(1_000, 64.0), (10_000, 256.0)];
/// How much more a tenant may take among many than among few.
const STEP: f64 = 1.25;

/// Everything that was measured.
#[derive(Default)]
pub struct Measured {
    pub runs: Vec<Run>,
    pub loops: Vec<Run>,
    pub changes: Vec<Change>,
    pub steady: Option<Steady>,
    pub restart: Option<Restart>,
    /// Tenants there were at the three before.
    pub among: usize,
    pub counts: Vec<Count>,
}

#[derive(Default)]
struct Rows(String);

impl Rows {
    fn add(&mut self, work: &str, must: &str, measured: &str, reached: Option<bool>) {
        let verdict = match reached {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None => "for comparison",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "| {work} | {must} | {measured} | {verdict} |");
    }
}

impl Measured {
    /// The table, and what explains it.
    pub fn markdown(&self) -> String {
        let mut rows =
            Rows("| work | must reach | measured | |\n| --- | --- | --- | --- |\n".into());
        self.times(&mut rows);
        self.ratios(&mut rows);
        self.memory(&mut rows);
        self.among_many(&mut rows);
        self.growth(&mut rows);
        let mut text = rows.0;
        text.push_str(&self.curve());
        text.push_str(&self.processors());
        text.push_str(&self.calls());
        text
    }

    fn times(&self, rows: &mut Rows) {
        for run in &self.runs {
            let took = run.took().as_secs_f64();
            let limit = limit(&LIMITS, run.tenants);
            rows.add(
                &format!("{} tenants, from apply to all Ready", run.tenants),
                &limit.map_or_else(String::new, |limit| format!("< {limit} s")),
                &format!("{took:.1} s ({:.0} ms each)", each(run) * 1e3),
                limit.map(|limit| took < limit),
            );
        }
        for pair in self.runs.windows(2) {
            let ratio = each(&pair[1]) / each(&pair[0]);
            rows.add(
                &format!(
                    "a tenant of {}: time / the same of {}",
                    pair[1].tenants, pair[0].tenants
                ),
                &format!("≤ {STEP}"),
                &format!("{ratio:.2}"),
                Some(ratio <= STEP),
            );
        }
    }

    fn ratios(&self, rows: &mut Rows) {
        for bare in &self.loops {
            let Some(run) = self.runs.iter().find(|run| run.tenants == bare.tenants) else {
                continue;
            };
            let (operator, took) = (run.took().as_secs_f64(), bare.took().as_secs_f64());
            let ratio = operator / took;
            rows.add(
                &format!("{} tenants: operator / bare loop", run.tenants),
                "≤ 1.25",
                &format!("{ratio:.2} (loop {took:.1} s)"),
                Some(ratio <= 1.25),
            );
        }
    }

    fn memory(&self, rows: &mut Rows) {
        for run in &self.runs {
            let limit = limit(&MEMORY, run.tenants);
            let most = mebibytes(run.most_resident);
            rows.add(
                &format!("{} tenants: resident memory of the operator", run.tenants),
                &limit.map_or_else(String::new, |limit| format!("< {limit} MiB")),
                &format!(
                    "{most:.0} MiB at most, {:.0} MiB when all were Ready",
                    mebibytes(run.resident)
                ),
                limit.map(|limit| most < limit),
            );
        }
    }

    fn among_many(&self, rows: &mut Rows) {
        let among = self.among;
        let slowest = self.changes.iter().max_by_key(|change| change.after_pods);
        if let Some(slowest) = slowest {
            let after = slowest.after_pods.as_secs_f64();
            rows.add(
                &format!("one spec change among {among}: Ready again after the last pod was"),
                "< 1 s",
                &format!(
                    "{after:.2} s, the slowest of {} (of the fastest whole change {:.2} s)",
                    self.changes.len(),
                    self.changes
                        .iter()
                        .map(|change| change.whole)
                        .min()
                        .unwrap_or(Duration::ZERO)
                        .as_secs_f64(),
                ),
                Some(after < 1.0),
            );
        }
        if let Some(restart) = &self.restart {
            rows.add(
                &format!("restart with {among} steady tenants: writes"),
                "0",
                &restart.writes.to_string(),
                Some(restart.writes == 0),
            );
            let caught_up = restart.caught_up.as_secs_f64();
            rows.add(
                &format!("restart with {among} steady tenants: caught up"),
                "< 10 s",
                &format!(
                    "{caught_up:.1} s ({:.0} MiB resident)",
                    mebibytes(restart.resident)
                ),
                Some(caught_up < 10.0),
            );
        }
        if let Some(steady) = &self.steady {
            rows.add(
                &format!("steady state of {among} tenants: writes"),
                "0",
                &steady.writes.to_string(),
                Some(steady.writes == 0),
            );
            let percent = steady.share * 100.0;
            rows.add(
                &format!("steady state of {among} tenants: share of one processor"),
                "< 1 %",
                &format!("{percent:.2} %"),
                Some(percent < 1.0),
            );
        }
    }

    fn growth(&self, rows: &mut Rows) {
        let (Some(first), true) = (self.counts.first(), self.counts.len() > 1) else {
            return;
        };
        for count in &self.counts[1..] {
            let calls = count.calls_per_tenant() / first.calls_per_tenant();
            let statements = count.statements_per_tenant() / first.statements_per_tenant();
            rows.add(
                &format!(
                    "calls and statements of a tenant among {} / among {}",
                    count.tenants, first.tenants
                ),
                "constant (≤ 1.1)",
                &format!("{calls:.2} and {statements:.2}"),
                Some(calls <= 1.1 && statements <= 1.1),
            );
        }
    }

    /// When each tenth of the tenants was ready.
    fn curve(&self) -> String {
        let mut text = String::new();
        for (runs, word) in [(&self.runs, "Ready"), (&self.loops, "served by the loop")] {
            for run in runs {
                let tenth = (run.tenants / 10).max(1);
                let times: Vec<String> = run
                    .times
                    .chunks(tenth)
                    .filter_map(|chunk| Some(format!("{:.1}", chunk.last()?.as_secs_f64())))
                    .collect();
                let _ = write!(
                    text,
                    "\nSeconds until each tenth of {} tenants was {word}: {}.\n",
                    run.tenants,
                    times.join(", ")
                );
            }
        }
        text
    }

    /// Processor time of a tenant, by process.
    fn processors(&self) -> String {
        let columns: Vec<(String, &Run)> = self
            .runs
            .iter()
            .map(|run| (format!("{} tenants", run.tenants), run))
            .chain(
                self.loops
                    .iter()
                    .map(|run| (format!("loop, {}", run.tenants), run)),
            )
            .collect();
        let Some((_, first)) = columns.first() else {
            return String::new();
        };
        let mut names: Vec<&str> = first.used.iter().map(|(name, _)| &**name).collect();
        names.push("all");
        let cells = names.into_iter().map(|name| {
            let values = columns.iter().map(|(_, run)| {
                let used: f64 = run
                    .used
                    .iter()
                    .filter(|(process, _)| name == "all" || process == name)
                    .map(|(_, seconds)| seconds)
                    .sum();
                format!("{:.1}", used * 1e3 / run.tenants as f64)
            });
            (name.to_owned(), values.collect())
        });
        let heads: Vec<String> = columns.iter().map(|(head, _)| head.clone()).collect();
        table("milliseconds of a processor for each tenant", &heads, cells)
    }

    /// What was asked for each tenant.
    fn calls(&self) -> String {
        let heads: Vec<String> = self
            .counts
            .iter()
            .map(|count| format!("{} tenants", count.tenants))
            .collect();
        let mut text = String::new();
        let api: Vec<&BTreeMap<String, u64>> = self.counts.iter().map(|it| &it.calls).collect();
        let sql: Vec<&BTreeMap<String, u64>> =
            self.counts.iter().map(|it| &it.statements).collect();
        for (title, maps) in [
            ("requests to the API server for each tenant", api),
            ("round trips to Postgres for each tenant", sql),
        ] {
            if maps.is_empty() {
                continue;
            }
            let names: BTreeSet<&String> = maps.iter().flat_map(|map| map.keys()).collect();
            let per_tenant = |name: Option<&String>| -> Vec<String> {
                self.counts
                    .iter()
                    .zip(&maps)
                    .map(|(count, map)| {
                        let total: u64 = match name {
                            Some(name) => map.get(name).copied().unwrap_or_default(),
                            None => map.values().sum(),
                        };
                        format!("{:.2}", total as f64 / count.tenants as f64)
                    })
                    .collect()
            };
            let mut cells: Vec<(String, Vec<String>)> = names
                .into_iter()
                .map(|name| (format!("`{name}`"), per_tenant(Some(name))))
                .collect();
            cells.push(("all".into(), per_tenant(None)));
            text.push_str(&table(title, &heads, cells));
        }
        text
    }
}

fn table(
    title: &str,
    heads: &[String],
    cells: impl IntoIterator<Item = (String, Vec<String>)>,
) -> String {
    let mut text = format!("\n| {title} | {} |\n| --- |", heads.join(" | "));
    text.push_str(&" --- |".repeat(heads.len()));
    text.push('\n');
    for (name, values) in cells {
        let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
    }
    text
}

fn limit(limits: &[(usize, f64)], tenants: usize) -> Option<f64> {
    let found = limits.iter().find(|(size, _)| *size == tenants);
    found.map(|(_, limit)| *limit)
}

fn each(run: &Run) -> f64 {
    run.took().as_secs_f64() / run.tenants as f64
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tenants: usize, seconds: u64) -> Run {
        Run {
            tenants,
            times: vec![Duration::from_secs(seconds); tenants],
            used: vec![("etcd".into(), 1.0), ("the operator".into(), 2.0)],
            resident: 10 * 1024,
            most_resident: 65 * 1024,
        }
    }

    #[test]
    fn what_is_not_reached_is_said() {
        let measured = Measured {
            runs: vec![run(100, 7), run(1_000, 91)],
            loops: vec![run(1_000, 80)],
            ..Measured::default()
        };
        let text = measured.markdown();
        for line in [
            "| 100 tenants, from apply to all Ready | < 8 s | 7.0 s (70 ms each) | reached |",
            "| 1000 tenants, from apply to all Ready | < 90 s | 91.0 s (91 ms each) | **missed** |",
            "| a tenant of 1000: time / the same of 100 | ≤ 1.25 | 1.30 | **missed** |",
            "| 1000 tenants: operator / bare loop | ≤ 1.25 | 1.14 (loop 80.0 s) | reached |",
            "| 1000 tenants: resident memory of the operator | < 64 MiB | 65 MiB at most, 10 MiB when all were Ready | **missed** |",
            "| all | 30.0 | 3.0 | 3.0 |",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
    }
}
