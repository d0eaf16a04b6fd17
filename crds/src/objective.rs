//! What a tenant promises, and how far it kept it.

use docket_objectives::{Indicator, TARGET_PATTERN, THRESHOLDS, Window};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::WorkloadName;

/// A share of requests that is promised to be good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Objective {
    /// Name of the objective, for example `availability`.
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("an objective's name consists of lower-case letters, digits and '-', and starts and ends with a letter or digit"))]
    pub name: String,
    /// Percent of requests that are to be good, for example `"99.9"`; three decimals at most.
    #[schemars(length(min = 1, max = 6))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}') && !self.matches('^0+([.]0+)?$')", TARGET_PATTERN.replace('\\', "\\\\"))).message("target must be a percentage above 0 and below 100 with three decimals at most, such as \"99.9\""))]
    pub target: String,
    /// The workload that is meant, for example `documents`: requests to its routes count. Without it,
    /// requests to all routes of clients do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// A request is good when it is answered within this time, for example `300ms`; only those count
    /// that do not fail. Without it, a request is good when it is answered with anything but a 5xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 6))]
    #[x_kube(validation = Rule::new(format!("self in [{}]", quoted(&thresholds()))).message("threshold must be one that the API's metrics can tell: 5ms, 10ms, 25ms, 50ms, 100ms, 200ms, 300ms, 500ms, 1s, 2500ms, 5s or 10s"))]
    pub threshold: Option<String>,
    /// The time over which the target is to be met, in days.
    #[serde(default = "default_window")]
    #[schemars(length(min = 2, max = 3))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]?d$')").message("window must be 1 to 99 days, such as 30d"))]
    pub window: String,
}

/// How far an objective is met. Numbers are rounded so that a steady state reads the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveStatus {
    /// Name of the objective.
    pub name: String,
    /// Percent of requests that are to be good.
    pub target: String,
    /// The workload whose requests are meant; none where those of all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// Percent of requests that were, over the objective's window; none without traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// Percent of the error budget that is left; below 0 where more than all was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_budget_remaining: Option<String>,
    /// How fast the budget is being used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["window".into()]))]
    pub burn_rates: Vec<BurnRate>,
}

/// How fast the budget was used up over the last while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BurnRate {
    /// The while, for example `1h`.
    pub window: String,
    /// 1 uses up exactly the whole budget over the objective's window.
    pub rate: String,
}

impl Objective {
    /// What makes a request a good one; `None` for what the schema refuses.
    #[must_use]
    pub fn indicator(&self) -> Option<Indicator> {
        match &self.threshold {
            None => Some(Indicator::Availability),
            Some(text) => THRESHOLDS
                .into_iter()
                .find(|threshold| threshold_text(*threshold) == *text)
                .map(|threshold| Indicator::Latency { threshold }),
        }
    }

    /// The time over which the target is to be met; `None` for what the schema refuses.
    #[must_use]
    pub fn period(&self) -> Option<Window> {
        let days: u32 = self.window.strip_suffix('d')?.parse().ok()?;
        (1..=99).contains(&days).then(|| Window::days(days))
    }
}

fn default_window() -> String {
    "30d".into()
}

fn threshold_text(threshold: u32) -> String {
    match threshold {
        whole if whole % 1000 == 0 => format!("{}s", whole / 1000),
        threshold => format!("{threshold}ms"),
    }
}

fn thresholds() -> Vec<String> {
    THRESHOLDS.map(threshold_text).into()
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("'{text}'")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(threshold: Option<&str>, window: &str) -> Objective {
        Objective {
            name: "x".into(),
            target: "99".into(),
            workload: None,
            threshold: threshold.map(Into::into),
            window: window.into(),
        }
    }

    #[test]
    fn every_threshold_that_the_schema_names_is_understood() {
        for text in thresholds() {
            let indicator = objective(Some(&text), "30d").indicator();
            assert!(
                matches!(indicator, Some(Indicator::Latency { .. })),
                "{text}"
            );
        }
        let indicator = |threshold| objective(threshold, "30d").indicator();
        assert_eq!(indicator(None), Some(Indicator::Availability));
        assert_eq!(
            indicator(Some("1s")),
            Some(Indicator::Latency { threshold: 1000 })
        );
        assert_eq!(indicator(Some("301ms")), None);
    }

    #[test]
    fn a_window_is_a_number_of_days() {
        let period = |window| objective(None, window).period();
        assert_eq!(period("7d"), Some(Window::days(7)));
        for wrong in ["0d", "100d", "7h", "d", ""] {
            assert_eq!(period(wrong), None, "{wrong}");
        }
    }
}
