//! The labels of what the operator makes for a tenant, and of Secrets that users let out.
//!
//! A selector can never change once there are Deployments with it. So it has what stays true of a pod whatever
//! becomes of its tenant: the program ([`NAME`]), its part ([`COMPONENT`]) and the tenant ([`TENANT`]). No workload
//! is among its labels, nor among those of pods (ADR 0032).

/// Names the tenant. The operator writes it on children and pods; selectors, `docketctl`, Prometheus and
/// users find pods by it.
pub const TENANT: &str = "docket.dev/tenant";

/// Which program it is a piece of: [`DOCKET_API`]. The operator writes it; selectors read it.
pub const NAME: &str = "app.kubernetes.io/name";

/// Which of the tenant's components it is, such as [`API`]. The operator writes it on the component and its pods;
/// selectors read it, so that pods of two components never stand in for each other.
pub const COMPONENT: &str = "app.kubernetes.io/component";

/// Which one of them it is: the name of the tenant. The operator writes it for those who look.
pub const INSTANCE: &str = "app.kubernetes.io/instance";

/// Who keeps it as it is: [`DOCKET`]. The operator writes it, and watches what carries it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// What it is a part of: [`DOCKET`]. The operator writes it for those who look.
pub const PART_OF: &str = "app.kubernetes.io/part-of";

/// Value of [`MANAGED_BY`] and [`PART_OF`].
pub const DOCKET: &str = "docket";

/// Value of [`NAME`].
pub const DOCKET_API: &str = "docket-api";

/// Value of [`COMPONENT`]: what answers the clients.
pub const API: &str = "api";

/// Of a Secret that a tenant names: what it may be sent as to a server that the tenant names, too:
/// [`TELEMETRY_HEADERS`] or [`MODEL_KEY`]. Who may write the Secret writes it, the operator reads it.
pub const ALLOWED_AS: &str = "docket.dev/allowed-as";

/// Value of [`ALLOWED_AS`]: each of its entries is a header of what the collectors send.
pub const TELEMETRY_HEADERS: &str = "telemetry-headers";

/// Value of [`ALLOWED_AS`]: it has the key of a language model.
pub const MODEL_KEY: &str = "model-key";

/// The selector of what belongs to `tenant`.
#[must_use]
pub fn of_tenant(tenant: &str) -> String {
    format!("{TENANT}={tenant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_that_know_the_labels_go_on_finding_them() {
        let labels = [
            TENANT,
            NAME,
            COMPONENT,
            INSTANCE,
            MANAGED_BY,
            PART_OF,
            DOCKET,
            DOCKET_API,
            API,
            ALLOWED_AS,
            TELEMETRY_HEADERS,
            MODEL_KEY,
        ];
        let pinned = [
            "docket.dev/tenant",
            "app.kubernetes.io/name",
            "app.kubernetes.io/component",
            "app.kubernetes.io/instance",
            "app.kubernetes.io/managed-by",
            "app.kubernetes.io/part-of",
            "docket",
            "docket-api",
            "api",
            "docket.dev/allowed-as",
            "telemetry-headers",
            "model-key",
        ];
        assert_eq!(labels, pinned);
        assert_eq!(of_tenant("acme"), "docket.dev/tenant=acme");
    }
}
