//! One objective of one tenant.

use crate::{Indicator, Target, Window};

/// One objective of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Namespace of the tenant.
    pub namespace: String,
    /// Name of the tenant.
    pub tenant: String,
    /// Name of the objective.
    pub name: String,
    /// The share of good requests that is promised.
    pub target: Target,
    /// The workload whose routes it is about; all of the tenant's without one.
    pub workload: Option<String>,
    /// What makes a request a good one.
    pub indicator: Indicator,
    /// The time over which the target is to be met.
    pub window: Window,
}
