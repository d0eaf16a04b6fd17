//! The Events of a tenant: what `kubectl describe` tells, in order.

use docket_crds::DocumentTenant;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};

use crate::error::is_of_an_ending_namespace;

/// Publishes Events.
pub struct Events {
    client: Client,
    reporter: Reporter,
}

impl Events {
    /// Events that name `instance` as the one that saw them.
    #[must_use]
    pub fn new(client: Client, instance: String) -> Self {
        Self {
            client,
            reporter: Reporter {
                controller: docket_crds::names::OPERATOR.into(),
                instance: Some(instance),
            },
        }
    }

    /// Something happened as it should.
    pub async fn tell(&self, tenant: &DocumentTenant, reason: &str, note: String) {
        self.publish(tenant, EventType::Normal, reason, note).await;
    }

    /// Something is wrong.
    pub async fn warn(&self, tenant: &DocumentTenant, reason: &str, note: String) {
        self.publish(tenant, EventType::Warning, reason, note).await;
    }

    /// An Event that cannot be written is logged: it must not fail what it reports.
    async fn publish(&self, tenant: &DocumentTenant, type_: EventType, reason: &str, note: String) {
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(shorten(note)),
            action: "Reconcile".into(),
            secondary: None,
        };
        // A recorder only counts a second Event of the same reason: what it says would be lost.
        let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
        if let Err(error) = recorder.publish(&event, &tenant.object_ref(&())).await
            // Whose Events go too.
            && !is_of_an_ending_namespace(&error)
        {
            tracing::warn!(%error, reason, "an Event could not be written");
        }
    }
}

/// The API server refuses notes of 1 KiB and more.
fn shorten(note: String) -> String {
    const LONGEST: usize = 1000;
    if note.len() <= LONGEST {
        return note;
    }
    let end = (0..=LONGEST)
        .rev()
        .find(|at| note.is_char_boundary(*at))
        .unwrap_or_default();
    format!("{}…", &note[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_at_a_character_before_the_limit() {
        let note = shorten("ä".repeat(2000));
        assert!(note.len() <= 1024 && note.ends_with('…'));
        assert_eq!(shorten("short".into()), "short");
    }
}
