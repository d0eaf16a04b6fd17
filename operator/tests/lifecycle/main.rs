//! Reconciles against a real Postgres and an API server that is not one.

mod client_roles;
mod cluster;
mod content_owners;
mod database;
mod database_sessions;
mod drift;
mod exposure;
mod first_report;
mod hostile;
mod inspection;
mod letting_go;
mod log;
mod migrations;
mod monitoring;
mod objectives;
mod postgres;
mod rest;
mod rotation;
mod telemetry;
mod text;
mod turns;
mod workloads;
