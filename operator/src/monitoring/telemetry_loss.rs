//! Telemetry of tenants that is lost, or about to be: asks a Prometheus, with one query for all, what
//! their collectors say of themselves. `CollectorReady` tells it with the next reconcile, which a change
//! brings about.

mod notice;
mod query;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_crds::DocumentTenant;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::runtime::reflector::{ObjectRef, Store};
use parking_lot::{Mutex, MutexGuard};
use tracing::{Instrument, info_span};

use self::notice::{Loss, before, notice};
use self::query::{Measured, measured, query};
use crate::cache::caches::Filled;
use crate::cache::pods::Owner;
use crate::monitoring::objectives::Prometheus;
use crate::recheck::Recheck;
use crate::ticker::ticker;
use crate::validated_tenant::Notice;

/// For how long a source may fail before nothing is known any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is known of all tenants' telemetry, shared by those who look and those who tell.
#[derive(Clone, Debug)]
pub struct TelemetryLoss(Arc<Mutex<Option<HashMap<Owner, Loss>>>>);

impl Default for TelemetryLoss {
    /// Where nobody asks, nothing is lost.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(HashMap::new()))))
    }
}

impl TelemetryLoss {
    /// Nothing is known until the first answer: what a status says stays until then.
    #[must_use]
    pub fn unknown() -> Self {
        let losses = Self::default();
        *losses.known() = None;
        losses
    }

    fn known(&self) -> MutexGuard<'_, Option<HashMap<Owner, Loss>>> {
        self.0.lock()
    }

    /// What is to be said of the tenant `name` in `namespace`, whose conditions said `conditions`.
    pub(crate) fn of(
        &self,
        namespace: &str,
        name: &str,
        conditions: &[Condition],
    ) -> Option<Notice> {
        let owner = (namespace.to_owned(), name.to_owned());
        match &*self.known() {
            Some(known) => known.get(&owner).map(|loss| notice(*loss, &owner)),
            None => before(conditions),
        }
    }

    /// Takes in what was measured; returns the tenants for which that is news. With the first answer these
    /// are also `said`, whose status may say what is over.
    fn take(
        &self,
        measured: &HashMap<Owner, Measured>,
        said: impl FnOnce() -> HashSet<Owner>,
    ) -> HashSet<Owner> {
        let mut known = self.known();
        let (before, mut news) = match known.take() {
            Some(before) => (before, HashSet::new()),
            None => (HashMap::new(), said()),
        };
        let now: HashMap<Owner, Loss> = measured
            .iter()
            .filter_map(|(owner, it)| {
                let loss = Loss::of(*it, before.get(owner).copied())?;
                Some((owner.clone(), loss))
            })
            .collect();
        let all = before.keys().chain(now.keys());
        news.extend(
            all.filter(|owner| before.get(*owner) != now.get(*owner))
                .cloned(),
        );
        *known = Some(now);
        news
    }
}

/// The tenants whose status says that telemetry is lost.
fn said(tenants: &Store<DocumentTenant>) -> HashSet<Owner> {
    let says = |tenant: &Arc<DocumentTenant>| {
        let status = tenant.status.as_ref();
        status.is_some_and(|status| before(&status.conditions).is_some())
    };
    let owner = |tenant: Arc<DocumentTenant>| Some((tenant.namespace()?, tenant.name_any()));
    let saying = tenants.state().into_iter().filter(says);
    saying.filter_map(owner).collect()
}

/// Asks once in `interval`, for as long as it is polled; without a source there is nothing to ask.
pub async fn watch(
    tenants: Store<DocumentTenant>,
    source: Option<Prometheus>,
    namespaces: Vec<String>,
    interval: Duration,
    filled: Filled,
    losses: TelemetryLoss,
    recheck: Recheck,
) {
    let Some(source) = source else {
        return;
    };
    let query = query(&namespaces);
    let mut failing: Option<Instant> = None;
    let Some(mut rounds) = ticker(interval, filled).await else {
        return;
    };
    loop {
        rounds.tick().await;
        let answer = source
            .query(&query)
            .instrument(info_span!(parent: None, "losses"))
            .await;
        let measured = match answer {
            Ok(samples) => {
                failing = None;
                measured(samples)
            }
            Err(error) if failing.get_or_insert_with(Instant::now).elapsed() < PATIENCE => {
                tracing::warn!(%error, "the Prometheus does not say what telemetry was lost");
                continue;
            }
            Err(_) => HashMap::new(),
        };
        for (namespace, name) in losses.take(&measured, || said(&tenants)) {
            let tenant = ObjectRef::new(&name).within(&namespace);
            if tenants.get(&tenant).is_some() {
                recheck.tell((namespace, name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::conditions::{ConditionStatus, Finding, conditions};
    use docket_crds::ConditionType;
    use jiff::Timestamp;

    fn owner(name: &str) -> Owner {
        (name.to_owned(), name.to_owned())
    }

    fn dropped(count: f64) -> Measured {
        Measured {
            dropped: count,
            ..Measured::default()
        }
    }

    fn said_of(losses: &TelemetryLoss, before: &[Condition]) -> Option<&'static str> {
        let said = losses.of("acme", "acme", before);
        said.map(|notice| notice.reason)
    }

    #[test]
    fn only_what_is_to_be_said_anew_is_news() {
        let losses = TelemetryLoss::default();
        let take = |count: f64| {
            let measured = HashMap::from([(owner("acme"), dropped(count))]);
            let news = losses.take(&measured, || unreachable!("this is not the first answer"));
            news.contains(&owner("acme"))
        };
        assert!(!take(0.0));
        assert!(take(3.0));
        assert_eq!(said_of(&losses, &[]), Some("TelemetryDropped"));
        assert!(!take(7.0), "as many as before, about");
        assert!(take(12.0));
        assert!(take(0.0));
        assert_eq!(said_of(&losses, &[]), None);
    }

    #[test]
    fn until_the_first_answer_a_status_goes_on_to_say_what_it_said() {
        let losses = TelemetryLoss::unknown();
        let status = |reason: &str| {
            let finding = Finding::new(
                ConditionType::CollectorReady,
                ConditionStatus::True,
                reason,
                "It was.",
            );
            conditions(&[], &[finding], Some(1), Timestamp::UNIX_EPOCH)
        };
        let dropped = status("TelemetryDropped");
        assert_eq!(said_of(&losses, &dropped), Some("TelemetryDropped"));
        assert_eq!(said_of(&losses, &status("Running")), None);
        let said = HashSet::from([owner("acme")]);
        let quiet = HashMap::from([(owner("other"), Measured::default())]);
        let news = losses.take(&quiet, || said.clone());
        assert_eq!(news, said, "what is over must be said, and nothing else");
        assert_eq!(said_of(&losses, &dropped), None);
    }
}
