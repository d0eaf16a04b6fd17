//! What a tenant's status and Events say of how a reconcile ended: made of the outcome and of what is known of the
//! pods, and written elsewhere.

use docket_crds::names::api_name;
use docket_crds::{
    ApiStatus, ClientStatus, ConditionType, DocumentTenant, DocumentTenantStatus, is_true,
};
use docket_schema::{PLATFORM, latest_version};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::conditions;
use super::events::Note;
use super::outcome::{Outcome, Sight};
use super::{findings, message, workload_status};
use crate::error::Problem;
use crate::identified::Identified;
use crate::validated_tenant::ValidatedTenant;

/// What is to be said.
pub(crate) struct Report {
    /// The status as it should be.
    pub status: DocumentTenantStatus,
    /// What is news in it.
    pub notes: Vec<Note>,
    /// Whether there is no more to tell than that pods are starting, which the next report tells as well.
    pub may_wait: bool,
}

/// What is to be said of `tenant` after `outcome`, at the time `now`.
pub(crate) fn report_of(
    tenant: &Identified<DocumentTenant>,
    outcome: &Outcome<'_>,
    sight: &Sight,
    now: Timestamp,
) -> Report {
    let before = tenant.status.clone().unwrap_or_default();
    let repeated = repeated(outcome, &before.conditions);
    let again = repeated
        .as_ref()
        .map(|(problem, trace_id)| Outcome::Failed { problem, trace_id });
    let outcome = again.as_ref().unwrap_or(outcome);
    let status = status(tenant, outcome, sight, &before, now);
    Report {
        may_wait: findings::may_wait(outcome, sight, &before, status.observed_generation),
        notes: notes(outcome, &before, &status),
        status,
    }
}

/// A failure that was said already, as it was said then: what each try measures anew is no news.
fn repeated<'a>(outcome: &Outcome<'a>, before: &[Condition]) -> Option<(Problem, &'a str)> {
    let Outcome::Failed { problem, trace_id } = outcome else {
        return None;
    };
    let said = ConditionType::Ready.among(before)?;
    let is_it = said.reason == problem.reason && message::is_same(&said.message, &problem.message);
    is_it.then(|| {
        let message = said.message.clone();
        let problem = Problem {
            message,
            ..(*problem).clone()
        };
        (problem, *trace_id)
    })
}

/// What nobody looked at stays as it was.
fn status(
    tenant: &Identified<DocumentTenant>,
    outcome: &Outcome<'_>,
    sight: &Sight,
    before: &DocumentTenantStatus,
    now: Timestamp,
) -> DocumentTenantStatus {
    let clients = clients(outcome, before);
    // A tenant that was looked at before has conditions already.
    if matches!(outcome, Outcome::Begun(_)) && !before.conditions.is_empty() {
        return DocumentTenantStatus {
            clients,
            ..before.clone()
        };
    }
    let generation = tenant.metadata.generation;
    let findings = findings::of(outcome, sight, &before.conditions);
    let kept = DocumentTenantStatus {
        observed_generation: generation,
        conditions: conditions(&before.conditions, &findings, generation, now),
        workloads: workload_status::of(outcome, tenant.spec.workloads.names(), &before.workloads),
        ..before.clone()
    };
    match outcome {
        Outcome::Begun(_) => DocumentTenantStatus { clients, ..kept },
        Outcome::Progress(progress) => {
            let api = progress.rollouts.api();
            let changed = progress.changed.as_ref().map(|it| it.reconcile.clone());
            DocumentTenantStatus {
                api: Some(ApiStatus {
                    url: api_url(progress.wanted),
                    replicas: api.wanted,
                    ready_replicas: api.ready,
                }),
                client_count: i32::try_from(clients.len()).ok(),
                clients,
                reconcile: changed.or(before.reconcile.clone()),
                plan: None,
                ..kept
            }
        }
        Outcome::Failed { .. } => DocumentTenantStatus { plan: None, ..kept },
        Outcome::AtRest { plan, .. } => DocumentTenantStatus {
            plan: plan.clone(),
            ..kept
        },
        Outcome::Deleting { .. } => DocumentTenantStatus {
            api: None,
            plan: None,
            ..kept
        },
    }
}

/// The clients that exist in Postgres, or are about to: they are said before the SQL that makes them, since
/// cleanup needs nothing else.
fn clients(outcome: &Outcome<'_>, before: &DocumentTenantStatus) -> Vec<ClientStatus> {
    let mut clients = match outcome {
        Outcome::Begun(wanted) => {
            let known = |name: &str| before.clients.iter().any(|known| known.name == name);
            let new = wanted.clients.iter().filter(|it| !known(&it.name));
            let new = new.map(|client| ClientStatus {
                name: client.name.clone(),
                schema: client.identity.schema.clone(),
                role: client.identity.role.clone(),
                retiring: None,
                schema_version: 0,
            });
            before.clients.iter().cloned().chain(new).collect()
        }
        Outcome::Progress(progress) => {
            let made = progress.wanted.clients.iter().map(|client| ClientStatus {
                name: client.name.clone(),
                schema: client.identity.schema.clone(),
                role: client.identity.role.clone(),
                retiring: client.retiring.map(|_| client.identity.rotated().role),
                schema_version: latest_version(PLATFORM),
            });
            made.chain(progress.remaining.iter().cloned()).collect()
        }
        _ => before.clients.clone(),
    };
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    clients
}

/// What is news in `status`.
fn notes(
    outcome: &Outcome<'_>,
    before: &DocumentTenantStatus,
    status: &DocumentTenantStatus,
) -> Vec<Note> {
    let is_new = |reason: &str| !is_said(reason, &before.conditions);
    let note = match outcome {
        Outcome::Begun(_) => None,
        Outcome::Progress(progress) => {
            return notes_of_progress(progress.wanted, &before.conditions, &status.conditions);
        }
        Outcome::Failed { problem, trace_id } => {
            let said =
                |it: &Condition| it.reason == problem.reason && it.message == problem.message;
            let is_known = ConditionType::Ready
                .among(&before.conditions)
                .is_some_and(said);
            let text = format!("{} (trace {trace_id})", problem.message);
            (!is_known).then(|| Note::warning(problem.reason, text))
        }
        Outcome::AtRest {
            reason, message, ..
        } => {
            let is_news = is_new(reason) || before.plan != status.plan;
            is_news.then(|| Note::normal(reason, message.clone()))
        }
        Outcome::Deleting { message } => is_new(findings::DELETING)
            .then(|| Note::normal(findings::DELETING, (*message).to_owned())),
    };
    note.into_iter().collect()
}

fn notes_of_progress(
    wanted: &ValidatedTenant,
    before: &[Condition],
    now: &[Condition],
) -> Vec<Note> {
    let said = |condition: &Condition| {
        before
            .iter()
            .any(|old| old.type_ == condition.type_ && old.message == condition.message)
    };
    let to_mend = now
        .iter()
        .filter(|condition| findings::asks_to_mend(condition) && !said(condition))
        .map(|condition| Note::warning(&condition.reason, condition.message.clone()));
    let unmet = wanted.unmet.iter();
    let unmet = unmet
        .filter(|unmet| !is_said(unmet.reason, before) && is_said(unmet.reason, now))
        .map(|unmet| Note::warning(unmet.reason, unmet.message.clone()));
    let became_ready = !is_ready(before) && is_ready(now);
    let ready = became_ready.then(|| {
        let served = match wanted.clients.len() {
            1 => "1 client is served".to_owned(),
            count => format!("{count} clients are served"),
        };
        Note::normal("Ready", format!("{served} at {}", api_url(wanted)))
    });
    to_mend.chain(unmet).chain(ready).collect()
}

fn is_ready(conditions: &[Condition]) -> bool {
    ConditionType::Ready.among(conditions).is_some_and(is_true)
}

/// Whether this is the reason of `Ready`.
fn is_said(reason: &str, conditions: &[Condition]) -> bool {
    ConditionType::Ready
        .among(conditions)
        .is_some_and(|it| it.reason == reason)
}

fn api_url(wanted: &ValidatedTenant) -> String {
    api_address(&wanted.name, &wanted.namespace, wanted.tls.is_some())
}

/// Where the API of a tenant is reached in the cluster.
pub fn api_address(tenant: &str, namespace: &str, has_tls: bool) -> String {
    let scheme = if has_tls { "https" } else { "http" };
    format!("{scheme}://{}.{namespace}.svc", api_name(tenant))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    /// The tenant `acme` with `status`.
    fn tenant(status: &DocumentTenantStatus) -> Identified<DocumentTenant> {
        let tenant = json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "generation": 1},
            "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "s"}}}}}},
            "status": status,
        });
        let tenant: DocumentTenant = serde_json::from_value(tenant).expect("a tenant");
        Identified::new(Arc::new(tenant)).expect("it has a name and a uid")
    }

    #[test]
    fn a_failure_that_differs_only_in_how_long_it_took_is_no_news() {
        let mut status = DocumentTenantStatus::default();
        let mut told = Vec::new();
        let mut second = 0;
        for message in [
            "refused after 1.5s",
            "refused after 2.5s",
            "not found after 2.5s",
        ] {
            let problem = Problem::new(ConditionType::CredentialsReady, "Unavailable", message);
            let outcome = Outcome::Failed {
                problem: &problem,
                trace_id: "t",
            };
            second += 60;
            let now = Timestamp::from_second(second).expect("a time");
            let report = report_of(&tenant(&status), &outcome, &Sight::default(), now);
            told.push((report.status != status, report.notes.len()));
            status = report.status;
        }
        assert_eq!(told, [(true, 1), (false, 0), (true, 1)]);
    }
}
