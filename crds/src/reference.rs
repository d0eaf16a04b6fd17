//! References to other objects of the tenant's namespace.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A Secret in the tenant's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message("a Secret's name consists of lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit"))]
    pub name: String,
}
