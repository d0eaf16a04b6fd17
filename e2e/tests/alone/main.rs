//! What has the machine for itself, one after the other: every other test would notice these deaths, and on
//! a machine that other tests keep busy, a 503 is the right answer now and then. Tests run in the order of
//! their names, so what all tenants share dies last.

mod first_requests;
mod rollout;
mod sudden_deaths;
mod two_releases;
