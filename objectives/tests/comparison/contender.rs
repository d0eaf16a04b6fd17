//! One who computes, as what is to be asked.

use docket_objectives::{Objective, Sample};

use crate::prometheus::Prometheus;
use crate::table::{NONE, Row, number};

/// How often rules are evaluated.
const INTERVAL: &str = "30s";

/// A series that is recorded.
pub struct Recorded {
    pub name: String,
    pub expr: String,
    pub labels: Vec<(String, String)>,
}

/// An alert, by what tells it apart from the others.
pub struct Alert {
    pub name: String,
    pub expr: String,
    /// Minutes for which it must have been so.
    pub lasting: u32,
}

/// One who computes.
pub struct Contender {
    pub name: &'static str,
    /// The share of bad requests over the objective's window.
    pub bad: String,
    /// Burn rates, the shortest window first.
    pub burns: [String; 4],
    /// The share of the budget that is left.
    pub budget: String,
    pub alerts: Vec<Alert>,
}

impl Contender {
    /// One whose rules record series by Sloth's names.
    pub fn recording(
        name: &'static str,
        objective: &Objective,
        recorded: &[Recorded],
        alerts: Vec<Alert>,
    ) -> Self {
        let read = |name: &str| inlined(&format!("{name}{{}}"), recorded);
        let ratio = |window: &str| read(&format!("slo:sli_error:ratio_rate{window}"));
        let budget = objective.target.budget();
        Self {
            name,
            bad: ratio("30d"),
            burns: ["5m", "1h", "6h", "3d"].map(|window| format!("{} / {budget}", ratio(window))),
            budget: read("slo:period_error_budget_remaining:ratio"),
            alerts,
        }
    }

    /// What it says of what `prometheus` knows.
    pub fn row(&self, prometheus: &Prometheus) -> Row {
        let ask = |query: &str| value(&prometheus.ask(query));
        let said = |value: Option<f64>, decimals| {
            value.map_or_else(|| NONE.into(), |value| number(value, decimals))
        };
        let firing = |alert: &&Alert| ask(&alert.query()).is_some();
        let firing: Vec<&str> = self
            .alerts
            .iter()
            .filter(firing)
            .map(|it| &*it.name)
            .collect();
        Row {
            name: self.name,
            observed: said(ask(&self.bad).map(|bad| 100.0 * (1.0 - bad)), 4),
            burns: self.burns.each_ref().map(|burn| said(ask(burn), 2)),
            budget: said(ask(&self.budget).map(|left| 100.0 * left), 1),
            says: match firing.is_empty() {
                true => NONE.into(),
                false => firing.join(", "),
            },
        }
    }
}

impl Alert {
    /// Answered while it fires.
    fn query(&self) -> String {
        match self.lasting {
            0 => self.expr.clone(),
            minutes => format!(
                "count_over_time(({})[{minutes}m:1m]) > {minutes}",
                self.expr
            ),
        }
    }
}

/// `expr` with each of `recorded` that it reads replaced by how that is computed, so that all of it is computed
/// at once from what was scraped; a range of them becomes one of what would have been recorded.
pub fn inlined(expr: &str, recorded: &[Recorded]) -> String {
    let mut expr = expr.to_owned();
    for rule in recorded.iter().rev() {
        let read = format!("{}{{", rule.name);
        while let Some(start) = expr.find(&read) {
            let end = start + expr[start..].find('}').expect("selectors end") + 1;
            let range = expr[end..]
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'));
            if let Some((range, _)) = range.filter(|(range, _)| !range.contains(':')) {
                expr.insert_str(end + 1 + range.len(), &format!(":{INTERVAL}"));
            }
            expr.replace_range(start..end, &rule.computed());
        }
    }
    expr
}

impl Recorded {
    /// With the labels that a rule adds.
    fn computed(&self) -> String {
        let bare = format!("({})", self.expr);
        self.labels.iter().fold(bare, |inner, (name, value)| {
            format!("label_replace({inner}, \"{name}\", \"{value}\", \"\", \"\")")
        })
    }
}

fn value(samples: &[Sample]) -> Option<f64> {
    assert!(samples.len() < 2, "one value: {samples:?}");
    samples.first().map(|sample| sample.value)
}
