//! What is measured, of the operator and of tenants, and what is made of it.

pub mod endpoints;
pub mod metrics;
pub mod objectives;
pub mod rules;
pub mod targets;
pub mod telemetry_loss;
pub mod tenant_objectives;
