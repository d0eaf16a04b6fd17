//! `trace`: from the id of an answer to the request's line, its spans, its log and its SQL.

#[cfg(test)]
mod example;
pub(crate) mod gateway;
pub(crate) mod id;
mod json;
mod line;
pub(crate) mod otlp;
mod page;
pub(crate) mod span;
mod story;
mod tree;

use std::time::{Duration, Instant};

use clap::ValueEnum;
use docket_crds::labels;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use self::gateway::Gateway;
use self::id::Id;
use self::line::Line;
use self::otlp::Batches;
use self::story::{Story, stories, traces};
use crate::arguments::Trace;
use crate::cluster::Cluster;
use crate::pod_logs::lines_with;
use crate::problem::{Problem, root};
use crate::screen::Screen;
use crate::tenant;

/// Between two looks for what is on its way.
const INTERVAL: Duration = Duration::from_millis(500);

/// How a trace is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// What was found, and what could not be looked at.
struct Found {
    stories: Vec<Story>,
    notes: Vec<String>,
}

pub(crate) async fn trace(
    cluster: &Cluster,
    wanted: &Trace,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    if let Some(name) = &wanted.name {
        tenant::read(cluster, name).await?;
    }
    let found = patiently(cluster, wanted, screen).await;
    if found.stories.is_empty() {
        let none = Problem::no(format!(
            "nothing is known of {}: neither the logs of {} nor the gateway's files name it.",
            wanted.id.text(),
            pods_of(cluster, wanted)
        ));
        let none = found.notes.into_iter().fold(none, Problem::advise);
        return Err(none.advise(
            "Name the tenant's namespace with -n. Logs go with their pods, and files as they grow.",
        ));
    }
    screen.page(&match wanted.output {
        Output::Json => json::json(&found.stories, &found.notes),
        Output::Text => {
            let pages: Vec<String> = found.stories.iter().map(page::page).collect();
            let notes = found.notes.iter().map(|note| format!("\n{note}\n"));
            pages.join("\n") + &notes.collect::<String>()
        }
    });
    Ok(())
}

/// Spans come a moment after their request was answered.
async fn patiently(cluster: &Cluster, wanted: &Trace, screen: &mut Screen<'_>) -> Found {
    let (start, wait) = (Instant::now(), wanted.wait);
    loop {
        let (found, on_its_way) = look(cluster, wanted, wait).await;
        if !on_its_way || start.elapsed() >= wait {
            screen.end_progress();
            return found;
        }
        screen.progress("waiting for what may be on its way", start.elapsed());
        tokio::time::sleep(INTERVAL).await;
    }
}

/// What there is now, and whether more of it may come.
async fn look(cluster: &Cluster, wanted: &Trace, wait: Duration) -> (Found, bool) {
    let mut notes = Vec::new();
    let lines = of_pods(cluster, wanted).await.unwrap_or_else(|why| {
        notes.push(why);
        Vec::new()
    });
    let gateway = Gateway::new(&cluster.client, &wanted.gateway);
    let asked = of_gateway(&gateway, &wanted.id, &lines).await;
    let is_asked = asked.is_ok();
    let batches = asked.unwrap_or_else(|why| {
        notes.push(why);
        Batches::default()
    });
    let (stories, left_out) = stories(&wanted.id, lines, batches);
    let on_its_way = is_asked
        && match &stories[..] {
            [] => true,
            stories => stories
                .iter()
                .any(|story| !story.is_whole() && is_young(story, wait)),
        };
    if is_asked && stories.iter().any(|story| story.spans.is_empty()) {
        notes.push(
            "Where there are no spans, the trace was not recorded, or the gateway did not keep it: see \
             spec.telemetry.sampling."
                .into(),
        );
    }
    if left_out > 0 {
        notes.push(format!("{left_out} older requests had this id, too."));
    }
    (Found { stories, notes }, on_its_way)
}

fn is_young(story: &Story, wait: Duration) -> bool {
    let start = story.start().unwrap_or_default();
    Timestamp::now().duration_since(start).unsigned_abs() < wait
}

/// The traces that the pods name are asked for, too: a log line of the gateway may not name the request.
async fn of_gateway(gateway: &Gateway<'_>, id: &Id, lines: &[Line]) -> Result<Batches, String> {
    let known = |lines: &[Line], batches: &Batches| {
        let mut ids = vec![id.clone()];
        ids.extend(
            traces(id, lines, &batches.spans)
                .into_iter()
                .filter_map(|it| Id::read(it).ok()),
        );
        ids.extend(
            traces(id, &batches.lines, &[])
                .into_iter()
                .filter_map(|it| Id::read(it).ok()),
        );
        ids.sort_by(|a, b| a.text().cmp(b.text()));
        ids.dedup();
        ids
    };
    let ids = known(lines, &Batches::default());
    let batches = gateway.with(&ids).await?;
    let more = known(lines, &batches);
    match more == ids {
        true => Ok(batches),
        false => gateway.with(&more).await,
    }
}

async fn of_pods(cluster: &Cluster, wanted: &Trace) -> Result<Vec<Line>, String> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let label = match &wanted.name {
        Some(name) => labels::of_tenant(name),
        None => labels::TENANT.to_owned(),
    };
    let lines = lines_with(&pods, &label, None, wanted.id.text()).await;
    let lines = lines.map_err(|error| {
        format!(
            "The logs of {} cannot be read: {}.",
            pods_of(cluster, wanted),
            root(&error)
        )
    })?;
    Ok(lines.into_iter().filter_map(Line::of_pod).collect())
}

fn pods_of(cluster: &Cluster, wanted: &Trace) -> String {
    match &wanted.name {
        Some(name) => format!("the tenant {}", cluster.full_name(name)),
        None => format!("the tenants in {}", cluster.namespace),
    }
}
