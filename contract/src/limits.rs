//! What clients may do: the part of what an API server knows that changes while it serves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{RateLimit, TenantConfig};

/// What the clients of a tenant may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TenantLimits {
    /// How often each client may call, over all pods together; as often as it likes when there is
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// By the name of the client; of others nothing changes.
    #[serde(default)]
    pub clients: BTreeMap<String, ClientLimits>,
}

/// What one client may do, by workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientLimits {
    /// With documents.
    #[serde(default)]
    pub documents: DocumentLimits,
}

/// What one client may do with documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentLimits {
    /// What it may store at most.
    #[serde(default)]
    pub quota: Quota,
    /// Days that a deleted document stays in the trash.
    #[serde(default = "default_retention_days")]
    pub retention_days: u32,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            quota: Quota::default(),
            retention_days: default_retention_days(),
        }
    }
}

/// What a client may store at most, old versions and trash included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Number of documents; any when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Size of all contents together; any when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Long enough to notice a mistake and ask for it to be undone.
const fn default_retention_days() -> u32 {
    30
}

impl TenantConfig {
    /// The limits that the configuration itself names: what counts where there is no
    /// [`crate::LIMITS_FILE`].
    #[must_use]
    pub fn limits(&self) -> TenantLimits {
        let of_client = |client: &crate::ClientConfig| (client.name.clone(), client.limits);
        TenantLimits {
            rate_limit: self.rate_limit,
            clients: self.clients.iter().map(of_client).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_file_has_the_shape_that_the_api_server_documents() {
        let limits = TenantLimits {
            rate_limit: None,
            clients: [(
                "globex".to_owned(),
                ClientLimits {
                    documents: DocumentLimits {
                        quota: Quota {
                            documents: None,
                            bytes: Some(1024),
                        },
                        retention_days: 30,
                    },
                },
            )]
            .into(),
        };
        let file = json!({"clients": {"globex": {"documents": {"quota": {"bytes": 1024}, "retentionDays": 30}}}});
        assert_eq!(serde_json::to_value(&limits).expect("serializes"), file);
        let read: TenantLimits = serde_json::from_value(file).expect("parses");
        assert_eq!(read, limits);
    }
}
