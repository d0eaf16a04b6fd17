//! The Events of an object: what `kubectl describe` tells, in order.

use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

use crate::error::{is_of_an_ending_namespace, shorten};
use crate::identified::Identified;
use crate::reconciled_kind::ReconciledKind;

/// The API server refuses notes of 1 KiB and more.
const LONGEST_NOTE: usize = 1000;

/// What an Event says.
#[derive(Debug)]
pub struct Note {
    type_: EventType,
    reason: String,
    text: String,
}

impl Note {
    /// Something happened as it should.
    #[must_use]
    pub fn normal(reason: &str, text: String) -> Self {
        Self {
            type_: EventType::Normal,
            reason: reason.to_owned(),
            text,
        }
    }

    /// Something is wrong.
    #[must_use]
    pub fn warning(reason: &str, text: String) -> Self {
        Self {
            type_: EventType::Warning,
            ..Self::normal(reason, text)
        }
    }
}

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
    pub async fn tell<K: ReconciledKind>(
        &self,
        object: &Identified<K>,
        reason: &str,
        text: String,
    ) {
        self.publish(object, Note::normal(reason, text)).await;
    }

    /// Something is wrong.
    pub async fn warn<K: ReconciledKind>(
        &self,
        object: &Identified<K>,
        reason: &str,
        text: String,
    ) {
        self.publish(object, Note::warning(reason, text)).await;
    }

    /// An Event that cannot be written is logged: it must not fail what it reports.
    pub async fn publish<K: ReconciledKind>(&self, object: &Identified<K>, note: Note) {
        let Note {
            type_,
            reason,
            text,
        } = note;
        let event = Event {
            type_,
            reason,
            note: Some(shorten(text, LONGEST_NOTE)),
            action: "Reconcile".into(),
            secondary: None,
        };
        // A recorder only counts a second Event of the same reason: what it says would be lost.
        let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
        if let Err(error) = recorder.publish(&event, &object.object_ref(&())).await
            // Whose Events go too.
            && !is_of_an_ending_namespace(&error)
        {
            tracing::warn!(%error, reason = event.reason, "an Event could not be written");
        }
    }
}
