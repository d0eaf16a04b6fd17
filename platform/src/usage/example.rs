//! Counters for tests.

use super::{Counter, Counters};
use crate::database::Statement;
use crate::tenant::{Client, Tenant};

pub(super) static COUNTERS: Counters = Counters {
    counters: &[
        Counter {
            name: "documents",
            limit: |client| client.limits().documents.quota.documents,
        },
        Counter {
            name: "bytes",
            limit: |client| client.limits().documents.quota.bytes,
        },
    ],
    stored: Statement {
        operation: "SELECT",
        table: "things",
        sql: "",
    },
    advice: "old ones included; purge some",
};

/// A client with this quota.
pub(super) fn client(quota: serde_json::Value) -> std::sync::Arc<Client> {
    let config = serde_json::from_value::<docket_contract::TenantConfig>(serde_json::json!({
        "tenant": "acme", "namespace": "acme", "auth": {"mode": "None"},
        "database": {"host": "db", "port": 5432, "dbname": "d", "sslMode": "prefer"},
        "clients": [{"name": "globex", "schema": "s", "role": "s", "password": "p", "apiKeyHashes": [],
            "limits": {"documents": {"quota": quota}}}],
    }));
    let tenant = Tenant::try_from(config.expect("a configuration")).expect("a tenant");
    tenant.client("globex").expect("the client")
}
