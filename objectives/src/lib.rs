//! Service-level objectives of a tenant: the rules that a Prometheus evaluates for them, what it is
//! asked, and what its numbers mean. Nothing here reaches for anything: all of it is a function of its
//! arguments.
//!
//! The method is that of the Site Reliability Workbook, chapter 5, "Alerting on SLOs": multi-window,
//! multi-burn-rate alerts.

mod alert;
mod budget;
mod indicator;
mod links;
mod objective;
mod promql;
mod query;
mod rules;
mod service_alerts;
mod target;
mod tenant;
mod verdict;
mod window;

pub use budget::{Burn, Observation, Requests};
pub use indicator::{Indicator, THRESHOLDS};
pub use links::Links;
pub use objective::Objective;
pub use promql::tenants_of;
pub use query::{Answer, Detail, Sample, query};
pub use rules::{Group, Rule, objective_rules};
pub use service_alerts::{Scope, presence_alerts, service_alerts};
pub use target::{PATTERN as TARGET_PATTERN, Target};
pub use tenant::Tenant;
pub use verdict::{Verdict, verdict};
pub use window::Window;
