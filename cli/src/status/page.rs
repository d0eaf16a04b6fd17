//! The story of one tenant.

use docket_crds::annotations::{ROTATE, ROTATE_API_KEYS, ROTATE_SIGNING_KEYS};
use docket_crds::{ClientStatus, ConditionType, DocumentTenant, condition};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt as _;

use super::events::events;
use super::rotation::{Issued, rotation};
use super::tree::tree;
use crate::columns::columns;
use crate::since::between;

/// All that the page is made of.
pub(super) struct Seen {
    pub tenant: DocumentTenant,
    pub logins: Issued,
    pub keys: Issued,
    /// None where the tenant issues no tokens.
    pub signing_keys: Option<Issued>,
    /// None where they may not be read.
    pub events: Option<Vec<Event>>,
}

pub(super) fn page(seen: &Seen, now: Timestamp) -> String {
    let tenant = &seen.tenant;
    let mut page = head(tenant, now);
    let mut section = |title: &str, text: String| {
        if !text.is_empty() {
            page.push_str(&format!("\n{title}\n{text}"));
        }
    };
    section("CONDITIONS", conditions(tenant, now));
    section("WORKLOADS", workloads(tenant));
    section("CLIENTS", clients(tenant));
    section("OBJECTIVES", objectives(tenant));
    section("CREDENTIALS", credentials(seen, now));
    let reconcile = tenant
        .status
        .as_ref()
        .and_then(|status| status.reconcile.as_ref());
    section(
        "LAST CHANGE",
        reconcile.map(|it| tree(it, now)).unwrap_or_default(),
    );
    section(
        "EVENTS",
        match &seen.events {
            Some(all) => events(all, now),
            None => "  You may not read them.\n".to_owned(),
        },
    );
    page
}

/// What matters most, first.
fn head(tenant: &DocumentTenant, now: Timestamp) -> String {
    let name = format!(
        "{}/{}",
        tenant.namespace().unwrap_or_default(),
        tenant.name_any()
    );
    let status = tenant.status.clone().unwrap_or_default();
    let mut lines = match condition(tenant, ConditionType::Ready) {
        None => vec![format!(
            "{name}: the operator has not looked at it yet. Does it run?"
        )],
        Some(it) => {
            let since = between(it.last_transition_time.0, now);
            let how = match it.status.as_str() {
                "True" => "is Ready",
                "False" => "is not Ready",
                _ if matches!(it.reason.as_str(), "Planned" | "Paused") => "holds still",
                _ => "may be Ready or not",
            };
            vec![format!("{name} {how}, since {since}. {}", it.message)]
        }
    };
    let generation = tenant.metadata.generation.unwrap_or_default();
    match status.observed_generation {
        Some(observed) if observed < generation => lines.push(format!(
            "The operator has not looked at generation {generation} of the spec yet; all below is of {observed}."
        )),
        _ => {}
    }
    if let Some(when) = &tenant.metadata.deletion_timestamp {
        lines.push(format!(
            "It is being deleted, since {}; its data goes as deletionPolicy {:?} says.",
            between(when.0, now),
            tenant.spec.database.deletion_policy
        ));
    }
    if let Some(plan) = &status.plan {
        let changes = match plan.changes.len() {
            1 => "1 change waits".to_owned(),
            count => format!("{count} changes wait"),
        };
        lines.push(format!(
            "Planned for generation {}: {changes}. See them with: kubectl docket plan {}",
            plan.generation,
            tenant.name_any()
        ));
    }
    if let Some(api) = &status.api {
        lines.push(format!(
            "{}  {} of {} pods serve the spec",
            api.url, api.ready_replicas, api.replicas
        ));
    }
    lines.join("\n") + "\n"
}

fn conditions(tenant: &DocumentTenant, now: Timestamp) -> String {
    let conditions = tenant.status.iter().flat_map(|status| &status.conditions);
    let rows: Vec<[String; 5]> = conditions
        .map(|it| {
            [
                it.type_.clone(),
                it.status.clone(),
                between(it.last_transition_time.0, now),
                it.reason.clone(),
                it.message.clone(),
            ]
        })
        .collect();
    columns("  ", &rows)
}

fn workloads(tenant: &DocumentTenant) -> String {
    let status = tenant.status.iter();
    let rows = status.flat_map(|status| &status.workloads).map(|it| {
        let state = match it.ready {
            true => "ready",
            false => "not ready",
        };
        let version = it.schema_version.to_string();
        [it.name.clone(), state.into(), version, it.message.clone()]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["NAME", "STATE", "VERSION", ""].map(str::to_owned);
    columns("  ", &std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn clients(tenant: &DocumentTenant) -> String {
    let status = tenant.status.clone().unwrap_or_default();
    let wanted = tenant
        .spec
        .clients
        .iter()
        .map(|client| client.name.as_str());
    let known = status.clients.iter().map(|client| client.name.as_str());
    let mut names: Vec<&str> = wanted.chain(known).collect();
    names.sort_unstable();
    names.dedup();
    let rows = names.into_iter().map(|name| {
        let in_spec = tenant.spec.clients.iter().any(|client| client.name == name);
        let there = status.clients.iter().find(|client| client.name == name);
        match there {
            Some(there) => client(there, in_spec),
            None => [
                name.to_owned(),
                "-".into(),
                "-".into(),
                "-".into(),
                "new: not made yet".into(),
            ],
        }
    });
    let head = ["NAME", "SCHEMA", "LOGIN", "VERSION", ""].map(str::to_owned);
    columns("  ", &std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn client(there: &ClientStatus, in_spec: bool) -> [String; 5] {
    let note = match (in_spec, there.schema_version, &there.retiring) {
        (false, ..) => "leaves: the spec no longer names it".to_owned(),
        (true, 0, _) => "its schema is being made".to_owned(),
        (true, _, Some(role)) => format!("{role} can still log in, until no pod uses it"),
        (true, _, None) => String::new(),
    };
    [
        there.name.clone(),
        there.schema.clone(),
        there.role.clone(),
        there.schema_version.to_string(),
        note,
    ]
}

/// In percent, but for burn rates: 1 uses up exactly the whole budget.
fn objectives(tenant: &DocumentTenant) -> String {
    let objectives = tenant.status.iter().flat_map(|status| &status.objectives);
    let percent = |value: Option<&String>| value.map_or_else(|| "-".into(), |it| format!("{it} %"));
    let rows = objectives.map(|it| {
        let burns = it.burn_rates.iter();
        let burns: Vec<String> = burns
            .map(|it| format!("{} {}", it.window, it.rate))
            .collect();
        [
            it.name.clone(),
            it.workload.clone().unwrap_or_else(|| "all".into()),
            percent(Some(&it.target)),
            percent(it.observed.as_ref()),
            percent(it.error_budget_remaining.as_ref()),
            burns.join(", "),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = [
        "NAME",
        "WORKLOAD",
        "TARGET",
        "OBSERVED",
        "BUDGET LEFT",
        "BURN RATES",
    ];
    let head = head.map(str::to_owned);
    columns("  ", &std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn credentials(seen: &Seen, now: Timestamp) -> String {
    let credentials = &seen.tenant.spec.credentials;
    let row = |what: &str, issued: &Issued, annotation: &str, every: Option<&String>| {
        let asked = seen.tenant.annotations().get(annotation);
        let [last, next] = rotation(issued, asked, every, now);
        [what.to_owned(), last, next]
    };
    let logins = row(
        "logins",
        &seen.logins,
        ROTATE,
        credentials.rotation.as_ref(),
    );
    let api_keys = row(
        "API keys",
        &seen.keys,
        ROTATE_API_KEYS,
        credentials.api_key_rotation.as_ref(),
    );
    let every = credentials.signing_key_rotation.as_ref();
    let signing_keys = seen.signing_keys.as_ref();
    let signing_keys =
        signing_keys.map(|issued| row("signing keys", issued, ROTATE_SIGNING_KEYS, every));
    let rows: Vec<_> = [logins, api_keys].into_iter().chain(signing_keys).collect();
    columns("  ", &rows)
}

#[cfg(test)]
mod tests;
