//! What is known of all tenants' requests, by window.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Result;
use docket_objectives::{Answer, Detail, Objective, Observation, Window, query};

use super::prometheus::Prometheus;

/// Windows whose burn rates are on the status, the shortest first.
const SHORT: [Window; 4] = [
    Window::minutes(5),
    Window::hours(1),
    Window::hours(6),
    Window::days(3),
];

/// Rounds between two questions for a window of days, which changes slowly and is dear to ask for.
const KEPT: u32 = 10;

/// What is known.
#[derive(Debug)]
pub(super) struct MeasuredRequests {
    namespaces: Vec<String>,
    short: BTreeMap<Window, Answer>,
    long: BTreeMap<Window, Long>,
    failing_since: Option<Instant>,
}

/// Why a source did not answer, and since when it does not.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    pub(super) since: Instant,
}

#[derive(Debug)]
struct Long {
    answer: Answer,
    /// Rounds since then.
    age: u32,
    detail: Detail,
}

impl MeasuredRequests {
    /// Nothing; asks for some namespaces, or for all where none is named.
    pub(super) fn new(namespaces: Vec<String>) -> Self {
        Self {
            namespaces,
            short: BTreeMap::new(),
            long: BTreeMap::new(),
            failing_since: None,
        }
    }

    /// Asks for all that `objectives` are about.
    ///
    /// # Errors
    /// `source` does not answer; what was known stays known.
    pub(super) async fn ask(
        &mut self,
        source: &Prometheus,
        objectives: &[Objective],
    ) -> Result<&Self, Failure> {
        match self.ask_all(source, objectives).await {
            Ok(()) => {
                self.failing_since = None;
                Ok(self)
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::warn!(why, "the Prometheus does not answer");
                let since = *self.failing_since.get_or_insert_with(Instant::now);
                Err(Failure { why, since })
            }
        }
    }

    async fn ask_all(&mut self, source: &Prometheus, objectives: &[Objective]) -> Result<()> {
        let detail = Detail::of(objectives);
        let periods: BTreeSet<Window> = objectives.iter().map(|it| it.window).collect();
        let ask = async |window| {
            let query = query(window, &self.namespaces, &detail);
            source.query(&query).await.map(Answer::of)
        };
        let mut short = BTreeMap::new();
        for window in SHORT {
            short.insert(window, ask(window).await?);
        }
        let mut long = BTreeMap::new();
        for window in periods {
            let fresh = self
                .long
                .get(&window)
                .is_some_and(|it| it.age < KEPT && it.detail == detail)
                && !objectives.iter().any(|it| self.is_news(it, window, &short));
            if !fresh {
                let known = Long {
                    answer: ask(window).await?,
                    age: 0,
                    detail: detail.clone(),
                };
                long.insert(window, known);
            }
        }
        for known in self.long.values_mut() {
            known.age += 1;
        }
        self.short = short;
        self.long.extend(long);
        Ok(())
    }

    /// A tenant had its first traffic since `window` was asked for.
    fn is_news(
        &self,
        objective: &Objective,
        window: Window,
        short: &BTreeMap<Window, Answer>,
    ) -> bool {
        let some = |answer: &Answer| answer.requests(objective).bad_ratio().is_some();
        objective.window == window
            && short.values().any(some)
            && !self.long.get(&window).is_some_and(|it| some(&it.answer))
    }

    /// What is known of `objective`, for which was asked.
    pub(super) fn observation(&self, objective: &Objective) -> Observation {
        let period = self.long.get(&objective.window);
        let period = period
            .map(|it| it.answer.requests(objective))
            .unwrap_or_default();
        let shorter: Vec<_> = self
            .short
            .iter()
            .map(|(window, answer)| (*window, answer.requests(objective)))
            .collect();
        Observation::of(objective.target, period, &shorter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitoring::objectives::Source;

    #[tokio::test]
    async fn a_source_fails_since_it_first_did() {
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Port 1 is nobody's.
        let source = Source {
            url: "http://127.0.0.1:1",
            ..Source::default()
        };
        let source = Prometheus::new(&source).expect("a client");
        let mut known = MeasuredRequests::new(Vec::new());
        let first = known.ask(&source, &[]).await.expect_err("nobody answers");
        let second = known.ask(&source, &[]).await.expect_err("nobody answers");
        assert_eq!(first.since, second.since);
    }
}
