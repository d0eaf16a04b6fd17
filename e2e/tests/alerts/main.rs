//! Every alert on the API of a tenant, brought about and mended for real: what Prometheus makes of it, and
//! what those on call are told.
//!
//! Most of it is waiting, so all of these tests run at the same time, beside those of `docket`.

mod budget;
mod database_down;
mod errors;
mod memory;
mod pool;
mod silence;
mod slowness;
mod traffic;
mod watch;
