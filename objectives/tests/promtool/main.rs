//! The rules as Prometheus itself sees them: `promtool check rules` and `promtool test rules`.

mod objective_rules;
mod operator_alerts;
mod runbooks;
mod service_alerts;
mod tool;
