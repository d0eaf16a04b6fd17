//! Kinds that are no part of Kubernetes, and that a cluster may lack.

pub mod gateway_api;
pub mod prometheus_operator;
