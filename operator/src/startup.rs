//! How the operator's process comes about: its clients, what every reconcile shares, and what goes on beside.

mod background;
mod clients;
mod context;
mod early_end;

pub use background::{Background, prometheus};
pub use clients::Clients;
pub use context::{memories, shared_context};
pub use early_end::{early_end, end_of_server};
