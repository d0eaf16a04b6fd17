//! Writes what a status says of objectives, where it differs.

use docket_crds::ConditionType;
use docket_crds::DocumentTenant;
use docket_crds::names::OBJECTIVES_FIELD_MANAGER;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::json;

use super::status::ObjectivesStatus;
use crate::context::Context;
use crate::identified::Identified;
use crate::status::apply::apply_status;
use crate::status::conditions::{ConditionStatus, conditions};

/// Patches the status of `tenant` where it does not say what it should, and tells of a condition that
/// turned.
pub(super) async fn report(
    tenant: &Identified<DocumentTenant>,
    wanted: &ObjectivesStatus,
    ctx: &Context,
) -> Result<(), kube::Error> {
    let before = tenant.status.clone().unwrap_or_default();
    let generation = tenant.metadata.generation;
    let found: Vec<_> = wanted.finding.iter().cloned().collect();
    let now = conditions(&before.conditions, &found, generation, Timestamp::now());
    let said = ConditionType::ObjectivesMet.among(&before.conditions);
    let same = said == now.first()
        && before.objectives == wanted.objectives
        && before.error_budget_remaining == wanted.error_budget_remaining;
    if same {
        return Ok(());
    }
    let mut status = json!({"conditions": now, "objectives": wanted.objectives});
    if let Some(percent) = &wanted.error_budget_remaining {
        status["errorBudgetRemaining"] = percent.as_str().into();
    }
    let written = apply_status(tenant, &status, OBJECTIVES_FIELD_MANAGER, ctx).await?;
    let turned = |condition: &&Condition| said.is_none_or(|it| it.status != condition.status);
    if let Some(condition) = now.iter().find(turned) {
        let (reason, message) = (&condition.reason, condition.message.clone());
        match wanted.finding.as_ref().map(|finding| finding.status) {
            Some(ConditionStatus::False) => ctx.events.warn(&written, reason, message).await,
            Some(ConditionStatus::True) => {
                ctx.events.tell(&written, "ObjectivesMet", message).await
            }
            _ => {}
        }
    }
    Ok(())
}
