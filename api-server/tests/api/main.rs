//! What callers see: the API server in this process, or in one that a test starts.

mod cardinality;
mod changing_limits;
mod check;
mod documents;
mod fuzz;
mod hostile_uploads;
mod idempotency;
mod issuer_authority;
mod limits;
mod listing;
mod maintenance;
mod metadata_changes;
mod neighbours;
mod openapi;
mod own_issuer;
mod page_views;
mod process;
mod publishable_keys;
mod quota;
mod reading;
mod root_routes;
mod router;
mod search;
mod served_routes;
mod spans;
mod summaries;
#[path = "../support/mod.rs"]
mod support;
mod telemetry;
mod text;
mod tls;
mod tokens;
mod trash;
mod usage;
mod versions;
mod without_documents;
