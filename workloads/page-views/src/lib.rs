//! The workload `page-views`: who looks at which page, without knowing who.
//!
//! `workload.rs` says what the rest of the server knows of it; `record.rs` and `report.rs` are its routes.
//! Where a view goes is told by the files in this order: `view.rs`, `recorder.rs`, `insertion.rs`,
//! `maintenance/`, `open_days.rs`, `counts.rs`.

mod agents;
mod content_reads;
mod copied_rows;
mod counts;
mod day;
mod day_counts;
mod dimension;
mod insertion;
mod maintenance;
mod open_days;
mod outcome;
mod problems;
mod record;
mod recorder;
mod report;
mod salts;
mod state;
mod view;
mod visitor;
mod workload;

use docket_platform::middleware::scope::Scope;

pub use workload::{NAME, PageViews};

/// To see reports.
const READ: Scope = Scope("page-views:read");
/// To tell of views; pages in a browser have it.
const WRITE: Scope = Scope("page-views:write");
