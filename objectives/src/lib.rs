//! Service-level objectives of a tenant: the rules that a Prometheus evaluates for them, what it is
//! asked, and what its numbers mean. Nothing here reaches for anything: all of it is a function of its
//! arguments.
//!
//! The method is that of the Site Reliability Workbook, chapter 5, "Alerting on SLOs": multi-window,
//! multi-burn-rate alerts.

mod alert;
mod budget;
mod indicator;
mod objective;
mod promql;
mod query;
mod rules;
mod target;
mod verdict;
mod window;

pub use budget::{Burn, Observation, Requests};
pub use indicator::{Indicator, THRESHOLDS};
pub use objective::Objective;
pub use query::{Answer, Sample, query};
pub use rules::{Group, Rule, groups};
pub use target::{PATTERN as TARGET_PATTERN, Target};
pub use verdict::{Verdict, verdict};
pub use window::Window;
