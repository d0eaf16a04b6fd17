//! How far a rotation is, from what the operator leaves in the status and on its Secrets.

use std::collections::BTreeMap;

use docket_crds::annotations::{ROTATED_AT, ROTATED_FOR};
use docket_crds::names::UPCOMING;
use docket_crds::{DocumentTenant, is_ready};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;

use crate::tenant;

/// Whether the last rotation of a Secret is the one that `asked` asked for, as the annotation `noted` says.
pub(super) fn is_for(annotations: &BTreeMap<String, String>, noted: &str, asked: &str) -> bool {
    annotations.get(noted).is_some_and(|it| it == asked)
}

/// The rotation of logins: it begins on the Secret, and ends in the status.
#[derive(Debug, Default)]
pub(super) struct Logins {
    /// Client and role, before it began.
    before: Vec<(String, String)>,
}

impl Logins {
    /// What is waited for, if anything; `begun` when the Secret is that of this rotation.
    pub(super) fn wait(&mut self, tenant: &DocumentTenant, begun: bool) -> Option<String> {
        let clients = tenant.status.iter().flat_map(|status| &status.clients);
        let clients =
            clients.filter(|client| tenant.spec.clients.iter().any(|it| it.name == client.name));
        if !begun {
            self.before = clients
                .map(|it| (it.name.clone(), it.role.clone()))
                .collect();
            return Some("the operator has not begun with the logins".to_owned());
        }
        let (mut clients, mut old, mut retiring) = (clients.peekable(), 0, 0);
        clients.peek()?;
        let mut count = 0;
        for client in clients {
            count += 1;
            old += usize::from(
                self.before
                    .iter()
                    .any(|(name, role)| *name == client.name && *role == client.role),
            );
            retiring += usize::from(client.retiring.is_some());
        }
        if old > 0 {
            return Some(format!(
                "{} of {count} clients have a new login",
                count - old
            ));
        }
        if !is_ready(tenant) {
            return Some(format!(
                "pods take the new logins: {}",
                tenant::ready_sentence(tenant)
            ));
        }
        (retiring > 0).then(|| format!("{retiring} of {count} old logins can still be used"))
    }
}

/// What is waited for in the rotation of API keys, if anything.
pub(super) fn keys(secret: Option<&Secret>, asked: &str) -> Option<String> {
    let Some(secret) = secret.filter(|secret| is_for(secret.annotations(), ROTATED_FOR, asked))
    else {
        return Some("the operator has not begun with the API keys".to_owned());
    };
    let entries = secret.data.iter().flatten();
    let upcoming = entries
        .filter(|(name, _)| {
            name.split_once('.')
                .is_some_and(|(_, what)| what == UPCOMING)
        })
        .count();
    (upcoming > 0).then(|| format!("{upcoming} keys are handed out once every pod knows them"))
}

/// What is waited for in the rotation of signing keys, if anything, from the annotations of their Secret.
pub(super) fn signing_keys(
    annotations: Option<&BTreeMap<String, String>>,
    asked: &str,
) -> Option<String> {
    if annotations.is_some_and(|annotations| is_for(annotations, ROTATED_FOR, asked)) {
        return None;
    }
    let was_rotated = annotations.is_some_and(|annotations| annotations.contains_key(ROTATED_AT));
    let why = match was_rotated {
        true => ": it waits for the end of the rotation before, a day after that one",
        false => "",
    };
    Some(format!(
        "the operator has not begun with the signing keys{why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tenant(role: &str, retiring: Option<&str>, ready: &str) -> DocumentTenant {
        let status = json!({
            "conditions": [{"type": "Ready", "status": ready, "reason": "RollingOut", "message": "1 of 2 pods.",
                "observedGeneration": 1, "lastTransitionTime": "2026-11-21T12:00:00Z"}],
            "clients": [{"name": "globex", "schema": "s", "role": role, "retiring": retiring, "schemaVersion": 1}],
        });
        serde_json::from_value(json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "generation": 1},
            "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "s"}}}}}},
            "status": status,
        }))
        .expect("a tenant")
    }

    #[test]
    fn logins_are_rotated_when_the_new_ones_serve_and_the_old_ones_are_gone() {
        let mut logins = Logins::default();
        let mut told = |tenant: DocumentTenant, begun: bool| logins.wait(&tenant, begun);
        assert_eq!(
            [
                told(tenant("old", None, "True"), false),
                told(tenant("old", None, "True"), true),
                told(tenant("new", Some("old"), "False"), true),
                told(tenant("new", Some("old"), "True"), true),
                told(tenant("new", None, "True"), true),
            ],
            [
                Some("the operator has not begun with the logins".to_owned()),
                Some("0 of 1 clients have a new login".to_owned()),
                Some("pods take the new logins: RollingOut: 1 of 2 pods".to_owned()),
                Some("1 of 1 old logins can still be used".to_owned()),
                None,
            ]
        );
    }

    #[test]
    fn keys_are_rotated_when_none_waits_to_be_handed_out() {
        let secret = |asked: &str, entries: Value| -> Secret {
            let secret =
                json!({"metadata": {"annotations": {ROTATED_FOR: asked}}, "data": entries});
            serde_json::from_value(secret).expect("a Secret")
        };
        let told = |secret: Option<Secret>| keys(secret.as_ref(), "now");
        assert!(told(None).is_some());
        assert!(told(Some(secret("before", json!({})))).is_some());
        assert!(told(Some(secret("now", json!({"globex.upcoming": "YQ=="})))).is_some());
        assert_eq!(
            told(Some(secret(
                "now",
                json!({"globex": "YQ==", "globex.previous": "YQ=="})
            ))),
            None
        );
    }

    #[test]
    fn a_signing_key_is_rotated_when_the_operator_has_made_it() {
        let annotations = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            list.iter().map(owned).collect()
        };
        let now = "2026-11-21T12:00:00Z";
        let told = |annotations: Option<&BTreeMap<_, _>>| signing_keys(annotations, "now");
        let not_begun = "the operator has not begun with the signing keys";
        assert_eq!(told(None).as_deref(), Some(not_begun));
        assert_eq!(told(Some(&annotations(&[]))).as_deref(), Some(not_begun));
        let before = annotations(&[(ROTATED_AT, now), (ROTATED_FOR, "before")]);
        let waits = told(Some(&before)).expect("the one before");
        assert!(waits.contains("the end of the rotation before"), "{waits}");
        let of_this = annotations(&[(ROTATED_AT, now), (ROTATED_FOR, "now")]);
        assert_eq!(told(Some(&of_this)), None);
    }
}
