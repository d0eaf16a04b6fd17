//! A line for each tenant.

use docket_crds::{ConditionType, DocumentTenant, condition, is_true};
use jiff::Timestamp;
use kube::ResourceExt as _;

use crate::columns::columns;
use crate::since::between;

/// `namespace` is the one that was asked for, and none where all were.
pub(super) fn list(tenants: &[DocumentTenant], namespace: Option<&str>, now: Timestamp) -> String {
    if tenants.is_empty() {
        return match namespace {
            Some(namespace) => {
                format!(
                    "No tenants in the namespace {namespace}. Those of all namespaces: kubectl docket status -A\n"
                )
            }
            None => "No tenants.\n".to_owned(),
        };
    }
    let head = ["TENANT", "READY", "SINCE", "PODS", "CLIENTS", "REASON"].map(str::to_owned);
    let rows = tenants.iter().map(|tenant| line(tenant, now));
    columns("", &std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn line(tenant: &DocumentTenant, now: Timestamp) -> [String; 6] {
    let status = tenant.status.as_ref();
    let ready = condition(tenant, ConditionType::Ready);
    let pods = status.and_then(|status| status.api.as_ref());
    let reason = match ready {
        Some(it) if is_true(it) => it.reason.clone(),
        Some(it) => format!("{}: {}", it.reason, it.message),
        None => "the operator has not looked at it yet".to_owned(),
    };
    [
        format!(
            "{}/{}",
            tenant.namespace().unwrap_or_default(),
            tenant.name_any()
        ),
        ready.map_or_else(|| "Unknown".into(), |it| it.status.clone()),
        ready.map_or_else(|| "-".into(), |it| between(it.last_transition_time.0, now)),
        pods.map_or_else(
            || "-".into(),
            |api| format!("{}/{}", api.ready_replicas, api.replicas),
        ),
        tenant.spec.clients.len().to_string(),
        reason,
    ]
}
