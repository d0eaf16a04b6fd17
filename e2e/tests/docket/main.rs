//! What users of Docket see, against a real cluster.
#![allow(clippy::unwrap_used)]

mod backup;
mod charts;
mod check;
mod clients;
mod collector;
mod dashboards;
mod deletion;
mod drift;
mod isolation;
mod keys;
mod lifecycle;
mod objectives;
mod page_views;
mod reading;
mod redaction;
mod resilience;
mod rest;
mod rights;
mod steady_state;
mod telemetry;
mod tls;
mod tokens;
mod trace;
mod validation;
