//! One tenant's alerts, watched from both ends.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Result, ensure};
use docket_e2e::alertmanager::Alertmanager;
use docket_e2e::documents::Documents;
use docket_e2e::on_call::{News, OnCall};
use docket_e2e::prometheus::Prometheus;
use docket_e2e::scenario::Scenario;
use docket_e2e::wait::until_within;
use futures::future::{Either, select};
use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use tokio::time::{MissedTickBehavior, interval};

/// Rules look once in 15 s or 30 s, at what is scraped once in 5 s.
const LOOKED_AT: Duration = Duration::from_secs(180);

/// Time between two rounds of what goes on while an alert is waited for.
const ROUND: Duration = Duration::from_secs(2);

/// The tenant of a scenario, its Prometheus and those on call for it.
pub struct Watch {
    namespace: String,
    pub alertmanager: Alertmanager,
    prometheus: Prometheus,
    on_call: OnCall,
}

impl Watch {
    pub async fn of(it: &Scenario) -> Result<Self> {
        Ok(Self {
            namespace: it.namespace.clone(),
            alertmanager: Alertmanager::of(&it.client).await?,
            prometheus: Prometheus::of(&it.client).await?,
            on_call: OnCall::of(&it.client, &it.namespace).await?,
        })
    }

    /// Waits until those on call were told `news`, and nothing else.
    pub async fn told(&mut self, news: &[News]) -> Result<()> {
        self.on_call.told(news).await
    }

    /// The same, with a round of `work` again and again: a share that was just enough when it began could be
    /// too little a minute later, when it is told, as the checks of health go on.
    pub async fn told_while(
        &mut self,
        news: &[News],
        work: impl AsyncFnMut() -> Result<()>,
    ) -> Result<()> {
        during(self.on_call.told(news), work).await
    }

    /// Waits until the alert fires, told or not, with a round of `work` again and again.
    pub async fn fires_while(
        &self,
        (alert, severity): (&str, &str),
        work: impl AsyncFnMut() -> Result<()>,
    ) -> Result<()> {
        let labels = format!(
            "alertname=\"{alert}\",severity=\"{severity}\",alertstate=\"firing\",namespace=\"{}\"",
            self.namespace
        );
        let query = format!("ALERTS{{{labels}}}");
        during(self.shows(&query), work).await
    }

    /// Waits until its clients' requests that were answered with `status` have been counted for `samples`
    /// scrapes: a counter's first sample is where it starts. Probes are counted from the first second on.
    pub async fn counts(&self, status: u16, samples: u32) -> Result<()> {
        let labels = format!(
            "namespace=\"{}\",docket_workload!~\"none|\",status=\"{status}\"",
            self.namespace
        );
        let query = format!("count_over_time(http_requests_total{{{labels}}}[5m]) >= {samples}");
        self.shows(&query).await
    }

    async fn shows(&self, query: &str) -> Result<()> {
        until_within(LOOKED_AT, query, async || {
            let found = self.prometheus.numbers(query).await?;
            Ok((!found.is_empty()).then_some(()).ok_or("nothing yet"))
        })
        .await
    }
}

/// `what`, with a round of `work` again and again until it has come about.
async fn during(
    what: impl Future<Output = Result<()>>,
    work: impl AsyncFnMut() -> Result<()>,
) -> Result<()> {
    match select(pin!(what), pin!(again_and_again(work))).await {
        Either::Left((came, _)) => came,
        Either::Right((failed, _)) => failed,
    }
}

/// Ends with the first round that fails.
async fn again_and_again(mut work: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        work().await?;
    }
}

const LIST: &str = "documents?limit=1";

/// Asks for a list so many times, a few at a time; each answer has this status. Who does not ask for a 503
/// comes back after one.
pub async fn ask(documents: &Documents, times: usize, status: u16) -> Result<()> {
    let answers = stream::iter(0..times).map(|_| async {
        let answer = match status {
            503 => list(documents).await?,
            _ => documents.get(LIST).await?.status(),
        };
        ensure!(answer == status, "{answer} instead of {status}");
        Ok(())
    });
    let answers: Vec<Result<()>> = answers.buffer_unordered(3).collect().await;
    answers.into_iter().collect()
}

/// Asks for a list once; the status of the answer.
pub async fn list(documents: &Documents) -> Result<StatusCode> {
    let list = documents.request(Method::GET, LIST);
    Ok(list.send().await?.status())
}
