//! What black-box tests of Docket need: a tenant in a namespace of its own, its document API, its
//! database, what arrived at the gateway, what those on call were told, and an explanation when something did not come about.
//!
//! Tests run against the cluster that `KUBECONFIG` names, in parallel and as often as one likes.

pub mod alertmanager;
pub mod bucket;
pub mod client;
pub mod dashboards;
pub mod database;
pub mod documents;
pub mod explain;
pub mod gateway;
pub mod issuer;
pub mod kill;
pub mod message;
pub mod node;
pub mod objects;
pub mod on_call;
pub mod prometheus;
pub mod retry;
pub mod scenario;
pub mod story;
pub mod traffic;
pub mod wait;
