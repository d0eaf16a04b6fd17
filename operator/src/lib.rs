//! The Docket operator: turns a `DocumentTenant` into a running service.
//!
//! Start reading at [`reconcile`]: read, decide, act, report. [`build`] makes every child without a
//! client in sight; [`database`] is the only place that speaks SQL, [`content`] the only one that
//! speaks S3. [`cache`] holds what the watches brought, [`memory`] what we learned of each tenant.
//! What another kind of custom resource would have to say of itself is in [`reconciled_kind`].

pub mod allowed;
pub mod build;
pub mod cache;
pub mod content;
mod content_answers;
pub mod content_locations;
pub mod context;
pub mod controller;
pub mod credentials;
pub mod database;
pub mod error;
pub mod foreign;
pub mod identified;
pub mod leadership;
pub mod memory;
pub mod monitoring;
pub mod network;
pub mod recheck;
pub mod reconcile;
pub mod reconciled_kind;
pub mod scope;
mod server_side_apply;
pub mod settings;
pub mod startup;
pub mod status;
mod text_form;
mod ticker;
pub mod validated_tenant;
