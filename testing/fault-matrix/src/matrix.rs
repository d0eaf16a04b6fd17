//! Scenario × point × fault, side by side, and the table that comes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::case::{Case, Outcome, Reference, Turns, learn};
use crate::ground::Ground;
use crate::scenario::Scenario;
use crate::script::{Fault, Place, Point};

/// Which cases are run, and how.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// Whether a case is run.
    pub takes: fn(Scenario, &Point, Fault) -> bool,
    /// How long nothing may be written after each.
    pub steady: Duration,
    /// How long nothing may be written after a clean run of each scenario.
    pub clean_steady: Duration,
    /// Cases that do something at the same time.
    pub parallel: usize,
    /// Cases beside those that only watch that nothing is written.
    pub watching: usize,
}

/// How every case went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    cases: BTreeMap<(Scenario, usize, Fault), (Point, Outcome)>,
}

/// Runs what `selection` names.
///
/// # Errors
/// A clean run fails.
pub async fn matrix(ground: &Arc<Ground>, selection: &Selection) -> Result<Report> {
    let mut learners = JoinSet::new();
    for scenario in selection.scenarios.clone() {
        let (ground, steady) = (ground.clone(), selection.clean_steady);
        learners.spawn(async move {
            Ok::<_, anyhow::Error>((scenario, learn(&ground, scenario, steady).await?))
        });
    }
    let mut references: BTreeMap<Scenario, Arc<Reference>> = BTreeMap::new();
    while let Some(learnt) = learners.join_next().await {
        let (scenario, reference) = learnt.context("a clean run panicked")??;
        references.insert(scenario, Arc::new(reference));
    }
    let turns = Arc::new(Turns::new(selection.parallel, selection.watching));
    let mut cases = JoinSet::new();
    for (scenario, reference) in references {
        for (at, point) in reference.points.clone().into_iter().enumerate() {
            for fault in Fault::at(point.place).iter().copied() {
                if !(selection.takes)(scenario, &point, fault) {
                    continue;
                }
                let (ground, reference, turns) = (ground.clone(), reference.clone(), turns.clone());
                let case = Case {
                    scenario,
                    point: point.clone(),
                    fault,
                    steady: selection.steady,
                };
                cases.spawn(async move {
                    let point = case.point.clone();
                    let outcome = case.run(&ground, &reference, &turns).await;
                    ((scenario, at, fault), (point, outcome))
                });
            }
        }
    }
    let mut report = Report::default();
    while let Some(ended) = cases.join_next().await {
        let (key, value) = ended.context("a case panicked")?;
        let case = format!("{}, {}, {}", key.0.name(), value.0, key.2);
        match &value.1 {
            Outcome::Failed(why) => eprintln!("FAILED  {case}: {why}\n"),
            Outcome::Passed => eprintln!("ok      {case}"),
            Outcome::NotMet => eprintln!("not met {case}"),
        }
        report.cases.insert(key, value);
    }
    Ok(report)
}

impl Report {
    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        let failures = self.cases.iter().filter(move |(_, it)| failed(&it.1));
        failures.map(|((scenario, _, fault), (point, _))| {
            format!("{}, {point}, {fault}", scenario.name())
        })
    }

    /// How many cases there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.cases.len()
    }

    /// The cases whose call the operator did without.
    #[must_use]
    pub fn not_met(&self) -> usize {
        let outcomes = self.cases.values().map(|(_, outcome)| outcome);
        outcomes.filter(|it| **it == Outcome::NotMet).count()
    }

    /// Markdown: a row a scenario, then for each scenario and proxy a row a point and a column a
    /// fault.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = "| scenario | passed of total |\n| --- | --- |\n".to_owned();
        for scenario in Scenario::ALL {
            let cases = self.cases.iter().filter(|((of, ..), _)| *of == scenario);
            let outcomes: Vec<&Outcome> = cases.map(|(_, (_, outcome))| outcome).collect();
            let passed = outcomes
                .iter()
                .filter(|it| !matches!(it, Outcome::Failed(_)))
                .count();
            if !outcomes.is_empty() {
                let _ = writeln!(
                    text,
                    "| {} | {passed} of {} |",
                    scenario.name(),
                    outcomes.len()
                );
            }
        }
        for scenario in Scenario::ALL {
            for place in [Place::Kubernetes, Place::Postgres] {
                let _ = self.part(scenario, place, &mut text);
            }
        }
        text
    }

    fn part(&self, scenario: Scenario, place: Place, text: &mut String) -> std::fmt::Result {
        let faults = Fault::at(place);
        let mut rows: BTreeMap<usize, (&Point, BTreeMap<Fault, &Outcome>)> = BTreeMap::new();
        for ((of, at, fault), (point, outcome)) in &self.cases {
            if *of == scenario && point.place == place {
                let row = rows.entry(*at).or_insert((point, BTreeMap::new()));
                row.1.insert(*fault, outcome);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(text, "\n### {}: {place}\n", scenario.name())?;
        let names: Vec<String> = faults.iter().map(Fault::to_string).collect();
        writeln!(text, "| call | {} |", names.join(" | "))?;
        writeln!(text, "| --- |{}", " --- |".repeat(faults.len()))?;
        for (point, outcomes) in rows.values() {
            write!(text, "| {} #{} |", point.call, point.occurrence)?;
            for fault in faults {
                let mark = match outcomes.get(fault) {
                    Some(Outcome::Passed) => "1 of 1",
                    Some(Outcome::NotMet) => "not met",
                    Some(Outcome::Failed(_)) => "**0 of 1**",
                    None => "",
                };
                write!(text, " {mark} |")?;
            }
            writeln!(text)?;
        }
        Ok(())
    }
}
