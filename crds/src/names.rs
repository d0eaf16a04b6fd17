//! The names of what the operator makes for a tenant, and of those who write it.

use crate::labels;

/// The operator itself: its Lease, who its Events are from, its telemetry and its sessions in a database.
pub const OPERATOR: &str = "docket-operator";

/// Keeps a deleted tenant until its data has been dealt with. The operator puts it on and takes it away.
pub const DATA_FINALIZER: &str = "docket.dev/data";

/// Field manager of a tenant's children and of most of its status: the operator's reconciles.
pub const OPERATOR_FIELD_MANAGER: &str = "docket-operator";

/// Field manager that keeps the number of pods while it passes to an autoscaler.
pub const HANDOVER_FIELD_MANAGER: &str = "docket-operator-handover";

/// Field manager of the part of the status that speaks of objectives.
pub const OBJECTIVES_FIELD_MANAGER: &str = "docket-operator-objectives";

/// Field manager of the ConfigMaps with the rules of all tenants.
pub const RULES_FIELD_MANAGER: &str = "docket-operator-rules";

/// Field manager of what `docketctl` changes.
pub const CLI_FIELD_MANAGER: &str = "docketctl";

/// Container of a pod that serves. The operator writes it, `docketctl` reads its log.
pub const API_CONTAINER: &str = "api";

/// Container of a pod that takes the other's telemetry away. The operator writes it and says its log's command;
/// Prometheus tells what it says of itself by this name.
pub const COLLECTOR_CONTAINER: &str = "collector";

/// Entry of the key that signs tokens.
pub const CURRENT: &str = "current";

/// What the entry of a client's next key has behind the client's name and a dot; also the entry of the key
/// that will sign tokens.
pub const UPCOMING: &str = "upcoming";

/// What the entry of a client's last key has behind the client's name and a dot; also the entry of the key
/// that signed tokens before.
pub const PREVIOUS: &str = "previous";

/// What the entries of a client's publishable keys have behind the client's name and a dot; behind it and another
/// dot stands the workload.
pub const PUBLISHABLE: &str = "publishable";

/// Name of the Deployment of the component `component` of `tenant`, and of what is about its pods alone.
#[must_use]
pub fn component_name(tenant: &str, component: &str) -> String {
    format!("{tenant}-{component}")
}

/// Name of what the component `api` of `tenant` is made of, and of what all components share: the Secret with
/// the configuration, the ServiceAccount, the rules.
#[must_use]
pub fn api_name(tenant: &str) -> String {
    component_name(tenant, labels::API)
}

/// Name of the Secret with the API keys of the clients of `tenant`, an entry each: the operator issues
/// them, users add some, the clients' applications read them.
#[must_use]
pub fn api_keys_secret(tenant: &str) -> String {
    format!("{tenant}-api-keys")
}

/// Entry of that Secret with the key of `client` that will be handed out next; valid already.
#[must_use]
pub fn upcoming_key_entry(client: &str) -> String {
    format!("{client}.{UPCOMING}")
}

/// Entry of that Secret with the key of `client` before the one it has; valid still.
#[must_use]
pub fn previous_key_entry(client: &str) -> String {
    format!("{client}.{PREVIOUS}")
}

/// Entry of that Secret with the publishable key of `client` for `workload`. The next one and the one before have
/// entries with the same endings as those of the client's own key.
#[must_use]
pub fn publishable_key_entry(client: &str, workload: &str) -> String {
    format!("{client}.{PUBLISHABLE}.{workload}")
}

/// Name of the Secret with the logins of the clients of `tenant`, an entry each: the operator writes and
/// reads it, and nobody else.
#[must_use]
pub fn credentials_secret(tenant: &str) -> String {
    format!("{tenant}-credentials")
}

/// Entry of that Secret with the role of `client`, where that is not its first one.
#[must_use]
pub fn role_entry(client: &str) -> String {
    format!("{client}.role")
}

/// Name of the Secret with the keys with which `tenant` signs tokens of its own, the entries [`CURRENT`],
/// [`UPCOMING`] and [`PREVIOUS`]: the operator writes and reads it, and nobody else.
#[must_use]
pub fn signing_keys_secret(tenant: &str) -> String {
    format!("{tenant}-signing-keys")
}

/// Name of the ConfigMap with the configuration of the collectors of `tenant`: the operator writes it, pods mount it.
#[must_use]
pub fn collector_config_map(tenant: &str) -> String {
    format!("{tenant}-collector")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_and_users_that_know_the_names_go_on_finding_them() {
        let names = [
            OPERATOR,
            DATA_FINALIZER,
            OPERATOR_FIELD_MANAGER,
            HANDOVER_FIELD_MANAGER,
            OBJECTIVES_FIELD_MANAGER,
            RULES_FIELD_MANAGER,
            CLI_FIELD_MANAGER,
            API_CONTAINER,
            COLLECTOR_CONTAINER,
            &api_name("acme"),
            &component_name("acme", "worker"),
            &api_keys_secret("acme"),
            &upcoming_key_entry("globex"),
            &previous_key_entry("globex"),
            &publishable_key_entry("globex", "orders"),
            &credentials_secret("acme"),
            &role_entry("globex"),
            &signing_keys_secret("acme"),
            CURRENT,
            &collector_config_map("acme"),
        ];
        let pinned = [
            "docket-operator",
            "docket.dev/data",
            "docket-operator",
            "docket-operator-handover",
            "docket-operator-objectives",
            "docket-operator-rules",
            "docketctl",
            "api",
            "collector",
            "acme-api",
            "acme-worker",
            "acme-api-keys",
            "globex.upcoming",
            "globex.previous",
            "globex.publishable.orders",
            "acme-credentials",
            "globex.role",
            "acme-signing-keys",
            "current",
            "acme-collector",
        ];
        assert_eq!(names, pinned);
    }
}
