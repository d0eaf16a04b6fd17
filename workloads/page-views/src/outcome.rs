//! What became of a view.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::agents::Agent;

/// What became of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// It counts, and is committed.
    Stored,
    /// Its id was sent before.
    Duplicate,
    /// A program saw the page.
    Bot,
    /// Something saw it that shows or checks links.
    Preview,
    /// It makes no sense.
    Refused,
}

impl Outcome {
    /// Every one.
    pub(crate) const ALL: [Self; 5] = [
        Self::Stored,
        Self::Duplicate,
        Self::Bot,
        Self::Preview,
        Self::Refused,
    ];

    /// As the metric, the table and the answers have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Bot => "bot",
            Self::Preview => "preview",
            Self::Refused => "refused",
        }
    }

    /// Why a view by `agent` does not count.
    pub(crate) const fn of_agent(agent: Agent) -> Option<Self> {
        match agent {
            Agent::Reader => None,
            Agent::Bot => Some(Self::Bot),
            Agent::Preview => Some(Self::Preview),
        }
    }
}

/// `docket_page_views_total{outcome}`.
#[derive(Debug)]
pub(crate) struct Outcomes(Counter<u64>);

impl Outcomes {
    pub(crate) fn new() -> Self {
        let meter = opentelemetry::global::meter("docket");
        let counter = meter.u64_counter("docket_page_views_total");
        Self(
            counter
                .with_description("Page views that were told of")
                .build(),
        )
    }

    pub(crate) fn add(&self, outcome: Outcome, views: u64) {
        let outcome = KeyValue::new("outcome", outcome.as_str());
        self.0.add(views, &[outcome]);
    }
}
