//! `plan`: what a change would change, said before it does.

mod manifest;
mod page;

use std::time::{Duration, Instant};

use docket_crds::annotations::PLAN;
use docket_crds::{ConditionType, DocumentTenant, PlanStatus, condition, is_false};
use kube::ResourceExt as _;
use serde_json::Value;

use crate::arguments::Plan;
use crate::cluster::Cluster;
use crate::edit::{Held, carry_out, edit, hold, put_back, read};
use crate::problem::Problem;
use crate::screen::Screen;
use crate::tenant;
use crate::wait::{Look, until};

/// After this an operator that runs has said what it says now.
const SETTLED: Duration = Duration::from_secs(10);

/// What becomes of the tenant once its plan was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    CarryOut,
    Keep,
    PutBack,
}

pub(crate) async fn plan(
    cluster: &Cluster,
    wanted: &Plan,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let name = &wanted.name;
    if wanted.discard {
        return discard(cluster, name, screen).await;
    }
    let spec = match &wanted.file {
        Some(file) => Some(manifest::spec(file, name, &cluster.namespace)?),
        None => None,
    };
    let before = Held::of(&read(cluster, name).await?);
    if before == Held::ByHand && spec.is_some() {
        return Err(Problem::could_not_run(format!(
            "{} is planned already, by an annotation that was set by hand.",
            cluster.full_name(name)
        ))
        .advise(format!(
            "Apply the file with kubectl, and then plan without -f; or take the annotation {PLAN} away."
        )));
    }
    let planned = match ask(cluster, wanted, spec.as_ref(), screen).await {
        Ok(planned) => planned,
        Err(problem) => return Err(retreat(cluster, name, before, problem).await),
    };
    screen.page(&page::plan(&cluster.full_name(name), &planned));
    let end = match choose(wanted, before, &planned, screen).await {
        Ok(end) => end,
        Err(problem) => return Err(retreat(cluster, name, before, problem).await),
    };
    let ended = finish(cluster, name, planned.generation, end).await;
    ended.map_err(|problem| problem.advise(how_it_is(name)))?;
    screen.page(&page::end(name, end));
    Ok(())
}

/// Nothing is changed unless somebody says so.
async fn choose(
    wanted: &Plan,
    before: Held,
    planned: &PlanStatus,
    screen: &mut Screen<'_>,
) -> Result<End, Problem> {
    let otherwise = match before {
        Held::No => End::PutBack,
        Held::Here | Held::ByHand => End::Keep,
    };
    if wanted.apply {
        return Ok(End::CarryOut);
    }
    if wanted.keep {
        return Ok(End::Keep);
    }
    if planned.changes.is_empty() {
        return Ok(otherwise);
    }
    let answer = screen.ask("Carry it out?").await?;
    Ok(if answer == Some(true) {
        End::CarryOut
    } else {
        otherwise
    })
}

/// Lets the tenant hold still, and waits for the operator's plan.
async fn ask(
    cluster: &Cluster,
    wanted: &Plan,
    spec: Option<&Value>,
    screen: &mut Screen<'_>,
) -> Result<PlanStatus, Problem> {
    planned(
        cluster,
        &wanted.name,
        wanted.patience.duration(),
        screen,
        |object| {
            hold(object, spec);
            Ok(())
        },
    )
    .await
}

/// Changes the tenant so that it holds still, and returns what the operator would change then.
pub(crate) async fn planned(
    cluster: &Cluster,
    name: &str,
    patience: Duration,
    screen: &mut Screen<'_>,
    change: impl Fn(&mut kube::core::DynamicObject) -> Result<(), Problem>,
) -> Result<PlanStatus, Problem> {
    let before = tenant::read(cluster, name).await?.metadata.generation;
    let held = edit(cluster, name, None, change).await?;
    let generation = held.metadata.generation;
    let start = Instant::now();
    until(cluster, name, patience, screen, async |tenant| {
        if tenant.metadata.generation < generation {
            return Ok(Look::NotYet("the API server is behind".into()));
        }
        if tenant.metadata.generation != generation {
            return Err(Problem::no(
                "somebody changed the spec meanwhile: there is no plan for it.",
            ));
        }
        Ok(match answer(tenant) {
            Some(Ok(plan)) => Look::Done(plan),
            // Of a spec that is not new it may have been said before the tenant was asked.
            Some(Err(problem)) if generation != before || start.elapsed() > SETTLED => {
                return Err(problem);
            }
            Some(Err(problem)) => Look::NotYet(problem.to_string()),
            None => Look::NotYet("waiting for the operator's plan".into()),
        })
    })
    .await
}

/// The operator's plan for the spec as it is, or why it can make none.
fn answer(tenant: &DocumentTenant) -> Option<Result<PlanStatus, Problem>> {
    let status = tenant.status.as_ref()?;
    let generation = tenant.metadata.generation?;
    if let Some(plan) = status
        .plan
        .as_ref()
        .filter(|plan| plan.generation == generation)
    {
        return Some(Ok(plan.clone()));
    }
    let ready = condition(tenant, ConditionType::Ready)?;
    let refused = is_false(ready) && ready.observed_generation == Some(generation);
    refused.then(|| {
        Err(Problem::no(format!(
            "the operator can make no plan for {}: {}: {}",
            tenant.name_any(),
            ready.reason,
            ready.message
        )))
    })
}

async fn finish(cluster: &Cluster, name: &str, generation: i64, end: End) -> Result<(), Problem> {
    match end {
        End::Keep => Ok(()),
        End::CarryOut => carried_out(cluster, name, generation).await,
        End::PutBack => edit(cluster, name, Some(generation), put_back)
            .await
            .map(drop),
    }
}

/// Lets the operator do what it planned for the spec of `generation`.
pub(crate) async fn carried_out(
    cluster: &Cluster,
    name: &str,
    generation: i64,
) -> Result<(), Problem> {
    let done = edit(cluster, name, Some(generation), |object| {
        carry_out(object);
        Ok(())
    });
    done.await.map(drop)
}

/// Undoes what was begun, unless it was so before, and says how the tenant is now.
pub(crate) async fn retreat(
    cluster: &Cluster,
    name: &str,
    before: Held,
    problem: Problem,
) -> Problem {
    let Ok(now) = read(cluster, name).await else {
        return problem.advise(how_it_is(name));
    };
    match (before, Held::of(&now)) {
        (Held::No, Held::No) => problem,
        (Held::No, _) => match edit(cluster, name, now.metadata.generation, put_back).await {
            Ok(_) => problem.advise(format!("{name} is as it was before: nothing was changed.")),
            Err(_) => problem.advise(how_it_is(name)),
        },
        _ => problem.advise(how_it_is(name)),
    }
}

fn how_it_is(name: &str) -> String {
    format!(
        "{name} may hold still now, with the new spec and nothing of it carried out: \
         kubectl docket plan {name} --discard puts the spec before back, --apply carries it out."
    )
}

async fn discard(cluster: &Cluster, name: &str, screen: &mut Screen<'_>) -> Result<(), Problem> {
    let object = read(cluster, name).await?;
    if Held::of(&object) == Held::No {
        let name = cluster.full_name(name);
        return Err(Problem::no(format!("{name} has no plan to discard.")));
    }
    edit(cluster, name, object.metadata.generation, put_back).await?;
    screen.page(&page::end(name, End::PutBack));
    Ok(())
}
