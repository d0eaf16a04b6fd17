//! The Docket operator: turns a `DocumentTenant` into a running document service.
//!
//! Start reading at [`reconcile`]: read, decide, act, report. [`build`] makes every child without a
//! client in sight; [`database`] is the only place that speaks SQL, [`content`] the only one that
//! speaks S3.

pub mod api_keys;
mod applied_status;
mod applying;
pub mod build;
pub mod certificate;
mod child;
pub mod conditions;
pub mod content;
pub mod context;
pub mod controller;
pub mod database;
pub mod database_watch;
pub mod error;
pub mod fence;
pub mod fenced_client;
pub mod gateway_api;
pub mod headers;
pub mod identified;
pub mod kept;
pub mod lease;
pub mod losses;
pub mod memory;
pub mod metrics;
pub mod monitoring_api;
pub mod objectives;
pub mod optional_kinds;
mod packed;
pub mod pods;
pub mod presence;
mod promised;
pub mod recheck;
pub mod reconcile;
pub mod referenced_secrets;
pub mod rotation;
mod rounds;
pub mod rules;
pub mod scope;
pub mod secret_value;
pub mod serve;
pub mod settings;
pub mod stores;
pub mod story;
pub mod targets;
pub mod tenants;
pub mod timeline;
pub mod wanted;
pub mod without_status;
