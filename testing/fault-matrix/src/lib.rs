//! The operator at every crash point.
//!
//! Start reading at [`matrix`]: it learns what the operator does in each [`scenario`](Scenario) and
//! runs it again with each [`fault`](Fault) at each point. A [`case`] is one such run, in a
//! [`world`](World) of its own on a shared [`ground`](Ground). The proxies are [`gateway`] and
//! [`wire`]; what must come of it is compared by [`snapshot`].

mod case;
mod certificate;
mod client_data;
mod control_plane;
pub mod database_trouble;
mod fidelity;
mod gateway;
mod ground;
pub mod handover;
mod issuer;
mod kubernetes;
mod mask;
pub mod matrix;
mod object_store;
pub mod one_namespace;
mod operator;
mod postgres;
mod prometheus;
pub mod promises;
mod proxy;
mod scenario;
mod script;
mod snapshot;
mod specs;
pub mod stale;
pub mod states;
mod wire;
pub mod workloads;
mod world;

pub use case::{Case, Outcome, Reference, Turns, learn};
pub use control_plane::ControlPlane;
pub use fidelity::Fidelity;
pub use gateway::{Disturbance, Gateway, Written};
pub use ground::Ground;
pub use kubernetes::Kubernetes;
pub use object_store::{BUCKET, KEY, ObjectStore};
pub use operator::Operator;
pub use postgres::{ADMIN, PASSWORD, Postgres};
pub use scenario::Scenario;
pub use script::{Fault, Place, Point, Script};
pub use wire::Wire;
pub use world::World;
