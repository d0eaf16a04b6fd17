//! Alerts that not every tenant wants.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Alerts that not every tenant wants; the others are there for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alerts {
    /// Fewer requests a second than this are an alert, for example `100`; by default any number is fine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_requests_per_second: Option<i32>,
}

impl Alerts {
    /// Whether none is asked for.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
