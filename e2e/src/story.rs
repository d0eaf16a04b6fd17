//! What Events tell of a tenant. An Event follows what it tells of, so it is waited for.

use anyhow::Result;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;

use crate::scenario::{Scenario, TENANT};
use crate::wait::until;

/// Waits for an Event about the tenant with this reason and a note that is `right`.
///
/// # Errors
/// There comes none.
pub async fn told(it: &Scenario, reason: &str, right: impl Fn(&str) -> bool) -> Result<()> {
    until(&format!("an Event {reason}"), async || {
        let notes = notes(it, reason).await?;
        Ok(match notes.iter().any(|note| right(note)) {
            true => Ok(()),
            false => Err(format!("{notes:?}")),
        })
    })
    .await
}

async fn notes(it: &Scenario, reason: &str) -> Result<Vec<String>> {
    let events = it.objects.api::<Event>();
    let events = events.list(&ListParams::default()).await?;
    let of_tenant = |event: &Event| {
        let about = event.regarding.as_ref();
        about.is_some_and(|object| object.name.as_deref() == Some(TENANT))
            && event.reason.as_deref() == Some(reason)
    };
    let told = events.into_iter().filter(of_tenant);
    Ok(told.filter_map(|event| event.note).collect())
}
