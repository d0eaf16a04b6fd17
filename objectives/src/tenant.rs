//! A tenant, as far as rules are about it.

use crate::Objective;

/// A tenant, as far as rules are about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenant {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it promises.
    pub objectives: Vec<Objective>,
    /// Requests a second; somebody wants to be told when there are fewer.
    pub least_traffic: Option<u32>,
}
