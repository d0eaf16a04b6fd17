//! Reports: conditions and the rest of the status, patched only when they differ, and Events.

use std::sync::Arc;

use docket_crds::{ApiStatus, ClientStatus, DocumentTenant, DocumentTenantStatus};
use docket_schema::LATEST_VERSION;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use serde_json::json;

use super::apply::Change;
use super::identity;
use super::rollout::{Rollout, all_ready, trouble};
use crate::build::{self, TENANT_LABEL};
use crate::conditions::{ConditionType, Finding, Status, conditions};
use crate::context::{Context, FIELD_MANAGER};
use crate::error::{Error, Result};
use crate::timeline::Timeline;
use crate::wanted::Wanted;

/// What a reconcile that reached its end has to say.
pub(super) struct Progress<'a> {
    pub wanted: &'a Wanted,
    pub rollout: Rollout,
    /// Clients that the spec no longer names and whose data is still to be dealt with.
    pub remaining: Vec<ClientStatus>,
    pub changes: Vec<Change>,
    pub timeline: &'a Timeline,
}

pub(super) async fn progress(
    tenant: &Arc<DocumentTenant>,
    progress: &Progress<'_>,
    ctx: &Context,
) -> Result<()> {
    let wanted = progress.wanted;
    let before = tenant.status.clone().unwrap_or_default();
    let mut parts = vec![
        Finding::new(
            ConditionType::CredentialsReady,
            Status::True,
            "Issued",
            format!(
                "API keys are in the Secret {}, one entry a client.",
                build::api_keys_name(&wanted.name)
            ),
        ),
        Finding::new(
            ConditionType::DatabaseReady,
            Status::True,
            "Provisioned",
            format!(
                "{} at schema version {LATEST_VERSION}.",
                clients(wanted.clients.len())
            ),
        ),
    ];
    parts.extend(pods_findings(&progress.rollout, &pods(tenant, ctx)));
    let mut clients: Vec<ClientStatus> = wanted
        .clients
        .iter()
        .map(|client| ClientStatus {
            name: client.name.clone(),
            schema: client.identity.schema.clone(),
            role: client.identity.role.clone(),
            schema_version: LATEST_VERSION,
        })
        .chain(progress.remaining.iter().cloned())
        .collect();
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    let reconcile = match progress.changes.is_empty() {
        true => before.reconcile.clone(),
        false => Some(progress.timeline.status()),
    };
    let status = DocumentTenantStatus {
        observed_generation: tenant.metadata.generation,
        conditions: with_ready(&before.conditions, &parts, &progress.rollout, tenant),
        api: Some(ApiStatus {
            url: api_url(wanted),
            replicas: progress.rollout.wanted,
            ready_replicas: progress.rollout.ready,
        }),
        client_count: i32::try_from(clients.len()).ok(),
        clients,
        reconcile,
    };
    let became_ready = !is_true(&before.conditions, ConditionType::Ready)
        && is_true(&status.conditions, ConditionType::Ready);
    let written = write_status(tenant.clone(), status, ctx).await?;
    if !progress.changes.is_empty() {
        let changes: Vec<String> = progress.changes.iter().map(ToString::to_string).collect();
        let note = format!(
            "{} (trace {})",
            changes.join(", "),
            progress.timeline.trace_id()
        );
        tracing::info!(changes = changes.join(", "), "applied");
        ctx.story.tell(&written, "Applied", note).await;
    }
    if became_ready {
        let note = format!(
            "{} are served at {}",
            self::clients(wanted.clients.len()),
            api_url(wanted)
        );
        ctx.story.tell(&written, "Ready", note).await;
    }
    Ok(())
}

/// Puts a failed reconcile on the status: the condition that is not met, and why. What runs goes on
/// running.
pub(super) async fn failure(
    tenant: &Arc<DocumentTenant>,
    error: &Error,
    timeline: &Timeline,
    ctx: &Context,
) -> Result<()> {
    let problem = error.problem();
    let before = tenant.status.clone().unwrap_or_default();
    let name = build::api_name(&tenant.name_any());
    let namespace = tenant.namespace().unwrap_or_default();
    let deployment = ctx
        .stores
        .deployments
        .get(&ObjectRef::new(&name).within(&namespace));
    let observed = deployment
        .map(|deployment| pods_findings(&Rollout::of(&deployment), &pods(tenant, ctx)))
        .unwrap_or_default();
    let parts: Vec<Finding> = ConditionType::PARTS
        .into_iter()
        .map(|condition| {
            if condition == problem.condition {
                return Finding::new(condition, Status::False, problem.reason, &problem.message);
            }
            let seen = observed
                .iter()
                .find(|finding| finding.condition == condition)
                .cloned();
            seen.or_else(|| as_before(condition, &before.conditions))
                .unwrap_or_else(|| {
                    Finding::new(
                        condition,
                        Status::Unknown,
                        "NotReached",
                        "Nothing is known yet.",
                    )
                })
        })
        .collect();
    let ready = Finding::new(
        ConditionType::Ready,
        Status::False,
        problem.reason,
        &problem.message,
    );
    let findings: Vec<Finding> = std::iter::once(ready).chain(parts).collect();
    let status = DocumentTenantStatus {
        observed_generation: tenant.metadata.generation,
        conditions: conditions(
            &before.conditions,
            &findings,
            tenant.metadata.generation,
            Timestamp::now(),
        ),
        ..before.clone()
    };
    let news = before.conditions.iter().all(|condition| {
        condition.type_ != ConditionType::Ready.to_string()
            || condition.reason != problem.reason
            || condition.message != problem.message
    });
    let written = write_status(tenant.clone(), status, ctx).await?;
    if news {
        tracing::warn!(
            reason = problem.reason,
            message = problem.message,
            "not as it should be"
        );
        let note = format!("{} (trace {})", problem.message, timeline.trace_id());
        ctx.story.warn(&written, problem.reason, note).await;
    }
    Ok(())
}

/// Patches the status where it differs from what is there.
pub(super) async fn write_status(
    tenant: Arc<DocumentTenant>,
    status: DocumentTenantStatus,
    ctx: &Context,
) -> Result<Arc<DocumentTenant>> {
    if tenant.status.as_ref() == Some(&status) {
        return Ok(tenant);
    }
    // The uid makes the patch fail for a tenant that was deleted and created anew meanwhile.
    let patch = json!({
        "apiVersion": "docket.dev/v1alpha1",
        "kind": "DocumentTenant",
        "metadata": {"uid": tenant.uid()},
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    ctx.metrics.wrote("DocumentTenant", "status");
    let written = identity::api(&tenant, ctx)
        .patch_status(&tenant.name_any(), &params, &Patch::Apply(patch))
        .await?;
    Ok(ctx.latest.wrote(written))
}

fn with_ready(
    before: &[Condition],
    parts: &[Finding],
    rollout: &Rollout,
    tenant: &DocumentTenant,
) -> Vec<Condition> {
    let ready = match parts.iter().find(|part| part.status != Status::True) {
        Some(part) => Finding::new(
            ConditionType::Ready,
            Status::False,
            &part.reason,
            &part.message,
        ),
        None if !rollout.is_complete() => {
            let rolling = parts
                .iter()
                .find(|part| part.condition == ConditionType::ApiAvailable);
            let message = rolling.map(|part| part.message.clone()).unwrap_or_default();
            Finding::new(ConditionType::Ready, Status::False, "RollingOut", message)
        }
        None => Finding::new(
            ConditionType::Ready,
            Status::True,
            "Ready",
            "All clients are served as the spec asks.",
        ),
    };
    let findings: Vec<Finding> = std::iter::once(ready)
        .chain(parts.iter().cloned())
        .collect();
    conditions(
        before,
        &findings,
        tenant.metadata.generation,
        Timestamp::now(),
    )
}

fn pods_findings(rollout: &Rollout, pods: &[Arc<Pod>]) -> Vec<Finding> {
    let Rollout {
        wanted,
        ready,
        serving,
        ..
    } = *rollout;
    if rollout.is_complete() {
        return vec![
            Finding::new(
                ConditionType::ApiAvailable,
                Status::True,
                "Available",
                format!("{ready} of {wanted} pods serve."),
            ),
            Finding::new(
                ConditionType::CollectorReady,
                Status::True,
                "Running",
                "A collector runs beside each API container.",
            ),
        ];
    }
    let why = trouble(pods).map_or_else(String::new, |trouble| format!(" {trouble}"));
    let message =
        format!("{ready} of {wanted} pods of the current spec serve, {serving} in all.{why}");
    let api = match serving {
        0 => Finding::new(
            ConditionType::ApiAvailable,
            Status::False,
            "NoPodServes",
            &message,
        ),
        _ => Finding::new(
            ConditionType::ApiAvailable,
            Status::True,
            "RollingOut",
            &message,
        ),
    };
    let collector = match all_ready(pods, "collector") {
        true => Finding::new(
            ConditionType::CollectorReady,
            Status::True,
            "Running",
            "A collector runs beside each API container.",
        ),
        false => Finding::new(
            ConditionType::CollectorReady,
            Status::False,
            "CollectorStarting",
            format!("Not every collector runs yet.{why}"),
        ),
    };
    vec![api, collector]
}

fn pods(tenant: &DocumentTenant, ctx: &Context) -> Vec<Arc<Pod>> {
    let (namespace, name) = (tenant.namespace(), tenant.name_any());
    ctx.stores.pods.state_filter(|pod| {
        pod.metadata.namespace == namespace
            && pod.labels().get(TENANT_LABEL) == Some(&name)
            && pod.metadata.deletion_timestamp.is_none()
    })
}

fn as_before(condition: ConditionType, before: &[Condition]) -> Option<Finding> {
    let old = before
        .iter()
        .find(|old| old.type_ == condition.to_string())?;
    let status = match old.status.as_str() {
        "True" => Status::True,
        "False" => Status::False,
        _ => Status::Unknown,
    };
    Some(Finding::new(
        condition,
        status,
        old.reason.clone(),
        old.message.clone(),
    ))
}

fn is_true(conditions: &[Condition], type_: ConditionType) -> bool {
    conditions
        .iter()
        .any(|condition| condition.type_ == type_.to_string() && condition.status == "True")
}

fn clients(count: usize) -> String {
    match count {
        1 => "1 client".into(),
        count => format!("{count} clients"),
    }
}

fn api_url(wanted: &Wanted) -> String {
    format!(
        "http://{}.{}.svc",
        build::api_name(&wanted.name),
        wanted.namespace
    )
}
