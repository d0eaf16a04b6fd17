//! What every request passes, whatever the workload: the [`layers`] around it all, and the [`gate`] of a
//! client's route; what these two do stands in a file each.

pub mod access;
pub mod auth;
mod caching;
mod cors;
mod gate;
pub mod layers;
mod message;
mod metrics;
mod publishable;
pub mod rate_limit;
pub mod request_id;
pub mod scope;
mod trace;
mod under_way;

use axum::extract::MatchedPath;
use http::{Extensions, Method};

/// Stands for all paths that are not served, so that they cannot multiply labels and span names.
const UNMATCHED: &str = "unmatched";

/// Template of the route, such as `/clients/{client}/usage`.
fn route(extensions: &Extensions) -> String {
    extensions
        .get::<MatchedPath>()
        .map_or(UNMATCHED, MatchedPath::as_str)
        .to_owned()
}

/// A caller may invent methods; neither labels nor span names must grow with them.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("_OTHER")
}
