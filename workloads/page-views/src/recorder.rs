//! Records what was seen: decides what counts, and says of each view what became of it.

use std::net::IpAddr;
use std::sync::Arc;

use docket_platform::Platform;
use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::agents::Agent;
use crate::day;
use crate::insertion::{Inserter, Views};
use crate::outcome::{Outcome, Outcomes};
use crate::salts::Salts;
use crate::view::Seen;
use crate::visitor::LENGTH;

/// Who saw something, for as long as it takes to make a visitor of it.
pub(crate) struct Viewer<'a> {
    pub(crate) address: Option<IpAddr>,
    pub(crate) agent: &'a [u8],
}

/// What became of one view.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ViewOutcome {
    pub(crate) outcome: Outcome,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) reason: Option<String>,
}

impl From<Outcome> for ViewOutcome {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            reason: None,
        }
    }
}

/// Records views of all clients.
#[derive(Debug)]
pub(crate) struct Recorder {
    database: Arc<Database>,
    salts: Salts,
    inserter: Inserter,
    outcomes: Outcomes,
}

impl Recorder {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self {
            database: platform.database.clone(),
            salts: Salts::default(),
            inserter: Inserter::new(platform.database.clone(), &platform.tenant),
            outcomes: Outcomes::new(),
        }
    }

    /// What became of each of `views`, in their order, once that is committed. A view that makes no sense
    /// comes with its reason.
    ///
    /// # Errors
    /// When the database is away: then some may be stored all the same.
    pub(crate) async fn record(
        &self,
        client: &Arc<Client>,
        viewer: Viewer<'_>,
        views: Vec<Result<Seen, String>>,
    ) -> Result<Vec<ViewOutcome>, Error> {
        let day = day::day(Timestamp::now());
        let rejected = Outcome::of_agent(Agent::of(viewer.agent));
        let mut seen = Vec::new();
        let mut refused = 0;
        let mut told = Vec::with_capacity(views.len());
        for view in views {
            told.push(match (view, rejected) {
                (Err(reason), _) => {
                    refused += 1;
                    Some(ViewOutcome {
                        outcome: Outcome::Refused,
                        reason: Some(reason),
                    })
                }
                (Ok(_), Some(outcome)) => Some(outcome.into()),
                (Ok(view), None) => {
                    seen.push(view);
                    None
                }
            });
        }
        let others = told.len() - seen.len() - refused;
        let rejects = [(Some(Outcome::Refused), refused), (rejected, others)];
        let rejects = rejects.into_iter().filter(|(_, count)| *count > 0);
        let visitor = match seen.is_empty() {
            true => [0; LENGTH],
            false => {
                let salt = self.salts.of(&self.database, client, day).await?;
                salt.visitor(viewer.address, viewer.agent)
            }
        };
        let views = Views {
            day,
            visitor,
            seen,
            rejected: rejects
                .filter_map(|(outcome, count)| Some((outcome?, i64::try_from(count).ok()?)))
                .collect(),
        };
        let mut inserted = self.inserter.insert(client, views).await?.into_iter();
        let all: Vec<ViewOutcome> = told
            .into_iter()
            .filter_map(|told| told.or_else(|| inserted.next().map(ViewOutcome::from)))
            .collect();
        self.count(&all);
        Ok(all)
    }

    fn count(&self, all: &[ViewOutcome]) {
        for outcome in Outcome::ALL {
            let views = all.iter().filter(|it| it.outcome == outcome).count();
            if views > 0 {
                self.outcomes.add(outcome, views as u64);
            }
        }
    }
}
