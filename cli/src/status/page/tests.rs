//! Pages of tenants in several states.

use serde_json::{Value, json};

use super::*;
use crate::status::list::list;

fn now() -> Timestamp {
    "2026-11-21T12:10:00Z".parse().expect("a time")
}

fn ready(status: &str, reason: &str, message: &str) -> Value {
    json!({"type": "Ready", "status": status, "reason": reason, "message": message,
        "observedGeneration": 3, "lastTransitionTime": "2026-11-21T12:05:35Z"})
}

fn tenant(metadata: Value, clients: Value, status: Value) -> DocumentTenant {
    let mut object = json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": "acme", "namespace": "shop", "uid": "u", "generation": 3},
        "spec": {"clients": clients, "database": {"secretRef": {"name": "docket-database"}},
            "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "docket-s3"}}}}},
            "credentials": {"rotation": "30d"}},
        "status": status,
    });
    for (key, value) in metadata.as_object().expect("fields") {
        object["metadata"][key] = value.clone();
    }
    serde_json::from_value(object).expect("a tenant")
}

fn served() -> DocumentTenant {
    let status = json!({
        "observedGeneration": 3,
        "conditions": [
            ready("True", "Ready", "All clients are served as the spec asks."),
            {"type": "DatabaseReady", "status": "True", "reason": "Provisioned",
                "message": "2 clients at schema version 5.", "observedGeneration": 3,
                "lastTransitionTime": "2026-11-20T12:05:00Z"},
        ],
        "api": {"url": "http://acme-api.shop.svc", "replicas": 2, "readyReplicas": 2},
        "workloads": [{"name": "documents", "schemaVersion": 5, "ready": true, "message": "2 clients are served."}],
        "clients": [
            {"name": "globex", "schema": "acme_globex_1f2e", "role": "acme_globex_1f2e_b",
                "retiring": "acme_globex_1f2e", "schemaVersion": 5},
            {"name": "initech", "schema": "acme_initech_77aa", "role": "acme_initech_77aa", "schemaVersion": 5},
        ],
        "objectives": [
            {"name": "availability", "target": "99.9", "observed": "99.95", "errorBudgetRemaining": "50",
                "burnRates": [{"window": "5m", "rate": "0.5"}, {"window": "1h", "rate": "0.4"}]},
            {"name": "latency", "target": "99", "workload": "documents"},
        ],
        "reconcile": {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "generation": 3,
            "startedAt": "2026-11-21T12:05:00Z", "duration": "412ms",
            "spans": [{"name": "dereference", "duration": "61ms"}, {"name": "apply", "duration": "240ms"}]},
    });
    tenant(
        json!({}),
        json!([{"name": "globex"}, {"name": "initech"}]),
        status,
    )
}

fn seen(tenant: DocumentTenant) -> Seen {
    Seen {
        tenant,
        logins: Issued::There {
            created: "2026-11-01T12:00:00Z".parse().ok(),
            rotated: "2026-11-20T12:00:00Z".parse().ok(),
            asked: None,
        },
        keys: Issued::Hidden,
        signing_keys: None,
        events: None,
    }
}

#[test]
fn a_tenant_that_serves_tells_its_story_in_order() {
    let event = |at: &str, reason: &str, message: &str| -> Event {
        let event = json!({"metadata": {}, "involvedObject": {}, "type": "Normal",
            "reason": reason, "message": message, "eventTime": at});
        serde_json::from_value(event).expect("an Event")
    };
    let mut seen = seen(served());
    seen.events = Some(vec![
        event(
            "2026-11-21T12:05:35.000001Z",
            "Ready",
            "2 clients are served at http://acme-api.shop.svc",
        ),
        event(
            "2026-11-21T12:05:00.000001Z",
            "Applied",
            "created schema acme_globex_1f2e (trace 4bf9)",
        ),
    ]);
    insta::assert_snapshot!(page(&seen, now()));
}

#[test]
fn a_tenant_in_trouble_says_first_what_to_do() {
    let message =
        "Create the Secret docket-database in namespace shop: spec.database.secretRef names it.";
    let status = json!({
        "observedGeneration": 3,
        "conditions": [ready("False", "SecretNotFound", message)],
        "clients": [{"name": "gone", "schema": "acme_gone_1", "role": "acme_gone_1", "schemaVersion": 5}],
        "plan": {"generation": 3, "changes": [{"action": "Create", "object": "x", "detail": "y"}]},
    });
    let metadata = json!({"generation": 4, "deletionTimestamp": "2026-11-21T12:09:00Z",
        "annotations": {ROTATE: "now"}});
    let mut seen = seen(tenant(metadata, json!([{"name": "globex"}]), status));
    seen.keys = Issued::NotYet;
    insta::assert_snapshot!(page(&seen, now()));
}

#[test]
fn a_tenant_that_no_operator_has_seen_says_so() {
    insta::assert_snapshot!(page(
        &seen(tenant(json!({}), json!([{"name": "globex"}]), json!({}))),
        now()
    ));
}

#[test]
fn a_list_says_why_a_tenant_is_not_ready() {
    let status = json!({"conditions": [ready("False", "NoPodServes", "0 of 2 pods serve.")],
        "api": {"url": "u", "replicas": 2, "readyReplicas": 0}});
    let broken = tenant(json!({"name": "umbrella"}), json!([{"name": "a"}]), status);
    let unseen = tenant(json!({"name": "new"}), json!([{"name": "a"}]), json!({}));
    let lists = [
        list(&[served(), broken, unseen], None, now()),
        list(&[], Some("shop"), now()),
        list(&[], None, now()),
    ];
    insta::assert_snapshot!(lists.join("\n"));
}

#[test]
fn a_tenant_that_issues_tokens_tells_when_its_signing_keys_were_and_will_be_rotated() {
    let mut seen = seen(served());
    let spec = &mut seen.tenant.spec;
    spec.credentials.signing_key_rotation = Some("90d".into());
    let annotations = seen.tenant.metadata.annotations.get_or_insert_default();
    annotations.insert(ROTATE_SIGNING_KEYS.into(), "first".into());
    let told = |asked: &str| {
        let issued = Issued::There {
            created: "2026-11-01T12:00:00Z".parse().ok(),
            rotated: "2026-11-21T12:00:00Z".parse().ok(),
            asked: Some(asked.into()),
        };
        let seen = Seen {
            tenant: seen.tenant.clone(),
            signing_keys: Some(issued),
            logins: Issued::NotYet,
            keys: Issued::NotYet,
            events: None,
        };
        let told = credentials(&seen, now());
        told.lines().last().expect("a line").trim().to_owned()
    };
    let line = "signing keys  rotated 10m ago ";
    assert_eq!(told("first"), format!("{line} next in 89d (every 90d)"));
    assert_eq!(told("another"), format!("{line} asked for, and not begun"));
}
