//! Changing a tenant without undoing what others do to it at the same time.

mod hold;
mod lost;

use docket_crds::DocumentTenant;
use docket_crds::annotations::{PLAN, ask_for_plan};
use docket_crds::names::CLI_FIELD_MANAGER;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::DynamicObject;
use serde_json::{Value, json};

pub(crate) use self::hold::{Held, carry_out, hold, put_back};
use crate::cluster::Cluster;
use crate::problem::Problem;
use crate::tenant;

/// How often the status may be written between our reading and writing.
const ATTEMPTS: usize = 10;

/// The tenant as a plain object.
pub(crate) async fn read(cluster: &Cluster, name: &str) -> Result<DynamicObject, Problem> {
    match cluster.plain_tenants().get(name).await {
        Ok(object) => Ok(object),
        Err(error) => Err(tenant::explain(cluster, name, error).await),
    }
}

/// Changes the tenant `name`, if its spec is still that of `generation` where one is given.
pub(crate) async fn edit(
    cluster: &Cluster,
    name: &str,
    generation: Option<i64>,
    change: impl Fn(&mut DynamicObject) -> Result<(), Problem>,
) -> Result<DynamicObject, Problem> {
    let api = cluster.plain_tenants();
    for _ in 0..ATTEMPTS {
        let mut object = read(cluster, name).await?;
        if generation.is_some() && object.metadata.generation != generation {
            let name = cluster.full_name(name);
            return Err(Problem::no(format!(
                "somebody changed the spec of {name} meanwhile: it is not what was planned."
            )));
        }
        change(&mut object)?;
        for dry_run in [true, false] {
            let params = PostParams {
                dry_run,
                field_manager: Some(CLI_FIELD_MANAGER.into()),
            };
            match api.replace(name, &params, &object).await {
                Ok(written) if dry_run => {
                    lost::refuse(&object.data["spec"], &written.data["spec"])?
                }
                Ok(written) => return Ok(written),
                // Its resource version is another by now.
                Err(kube::Error::Api(status)) if status.is_conflict() => break,
                Err(error) => return Err(Problem::of_cluster(error, "change DocumentTenants")),
            }
        }
    }
    let name = cluster.full_name(name);
    Err(
        Problem::no(format!("{name} changes all the time; it was not changed."))
            .advise("Try again."),
    )
}

/// Sets annotations; what else changes meanwhile does not matter.
pub(crate) async fn annotate(
    cluster: &Cluster,
    name: &str,
    annotations: &[(&str, String)],
) -> Result<DocumentTenant, Problem> {
    let values: serde_json::Map<String, Value> = annotations
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone().into()))
        .collect();
    let params = PatchParams {
        field_manager: Some(CLI_FIELD_MANAGER.into()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(json!({"metadata": {"annotations": values}}));
    let patched = cluster.tenants().patch(name, &params, &patch).await;
    patched.map_err(|error| Problem::of_cluster(error, "change DocumentTenants"))
}

/// Whether the operator leaves the tenant alone, and why; nothing that is asked of it would begin.
pub(crate) fn refuse_at_rest(tenant: &DocumentTenant) -> Result<(), Problem> {
    let name = tenant.name_any();
    let held = ask_for_plan(tenant.annotations());
    let (why, advice) = match (tenant.spec.paused, held) {
        (true, _) => (
            "spec.paused is true".to_owned(),
            "Set spec.paused to false first.".to_owned(),
        ),
        (false, true) => (
            format!("the annotation {PLAN} is true"),
            format!(
                "First carry the plan out, or discard it: kubectl docket plan {name} --apply, or --discard"
            ),
        ),
        (false, false) => return Ok(()),
    };
    Err(Problem::no(format!(
        "{name} holds still, because {why}: nothing would begin."
    ))
    .advise(advice))
}
