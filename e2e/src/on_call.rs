//! Those on call, as far as one tenant is concerned: what they were told is compared, message for
//! message, with what they should be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use kube::Client;
use reqwest::Url;
use serde_json::Value;

use crate::message::{Message, Told};
use crate::objects::Objects;
use crate::scenario::{DEV_NAMESPACE, TENANT};
use crate::wait::until_within;

/// The slowest alerts look back for five minutes, and rules of a new tenant take a minute to arrive.
const LONGEST: Duration = Duration::from_secs(420);

/// The alert that has one for each pair of windows, told together.
const BUDGET: &str = "DocketErrorBudgetBurn";

/// The severity that PagerDuty and Slack are told of.
pub const PAGE: &str = "page";

/// The severity that Slack alone is told of.
pub const WARNING: &str = "warning";

/// The severity that an e-mail tells of.
pub const TICKET: &str = "ticket";

/// That an alert began or ended.
#[derive(Clone, Copy, Debug)]
pub struct News {
    state: &'static str,
    alert: &'static str,
    severity: &'static str,
}

/// `alert` of this severity began.
#[must_use]
pub const fn begins(alert: &'static str, severity: &'static str) -> News {
    News {
        state: "FIRING",
        alert,
        severity,
    }
}

/// `alert` of this severity ended.
#[must_use]
pub const fn ends(alert: &'static str, severity: &'static str) -> News {
    News {
        state: "RESOLVED",
        alert,
        severity,
    }
}

impl News {
    /// A message to each who is told of its severity.
    fn messages(self) -> impl Iterator<Item = Told> {
        let receivers: &[&str] = match self.severity {
            PAGE => &["pagerduty", "slack"],
            TICKET => &["email"],
            _ => &["slack"],
        };
        receivers.iter().map(move |to| Told {
            to: (*to).to_owned(),
            state: self.state.to_owned(),
            alert: self.alert.to_owned(),
            severity: self.severity.to_owned(),
        })
    }
}

/// Those on call for the tenant of one namespace.
pub struct OnCall {
    http: reqwest::Client,
    url: Url,
    namespace: String,
    expected: Vec<Told>,
}

impl OnCall {
    /// Those for the tenant in `namespace`, who were told nothing so far.
    ///
    /// # Errors
    /// The cluster has no receivers.
    pub async fn of(client: &Client, namespace: &str) -> Result<Self> {
        let stack = Objects::new(client.clone(), DEV_NAMESPACE);
        let url = format!("http://{}:8080/messages", stack.address("receivers").await?);
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            url: Url::parse_with_params(&url, [("about", namespace)])?,
            namespace: namespace.to_owned(),
            expected: Vec::new(),
        })
    }

    /// Waits until they were told `news` beside what they were told before, and nothing else.
    ///
    /// # Errors
    /// They were told something else, or not this.
    pub async fn told(&mut self, news: &[News]) -> Result<()> {
        self.expected
            .extend(news.iter().flat_map(|it| it.messages()));
        self.expected.sort();
        until_within(LONGEST, &format!("{news:?}"), async || {
            let messages = self.messages().await?;
            let mut told: Vec<Told> = messages.iter().map(|it| it.told.clone()).collect();
            told.sort();
            // It is told again of what goes on whenever another of its windows begins or ends.
            told.dedup_by(|a, b| a == b && a.alert == BUDGET);
            let unexpected = without(&told, &self.expected);
            ensure!(
                unexpected.is_empty(),
                "nobody should be told {unexpected:#?}"
            );
            self.lead_to_the_cause(&messages)?;
            let missing = without(&self.expected, &told);
            Ok(missing
                .is_empty()
                .then_some(())
                .ok_or_else(|| format!("{missing:#?} were not told")))
        })
        .await
    }

    async fn messages(&self) -> Result<Vec<Message>> {
        let written: Vec<Value> = self.http.get(self.url.clone()).send().await?.json().await?;
        written.iter().map(Message::read).collect()
    }

    /// Each names its tenant, its runbook and its dashboard, and an end what it is the end of.
    fn lead_to_the_cause(&self, messages: &[Message]) -> Result<()> {
        let mut keys: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        let namespace = &self.namespace;
        for message in messages {
            let alert = &*message.told.alert;
            ensure!(
                message.tenant == format!("{namespace}/{TENANT}"),
                "{message:?}"
            );
            let [runbook, dashboard] = &message.links;
            ensure!(
                runbook.ends_with(&format!("/docs/runbooks/{alert}.md")),
                "{message:?}"
            );
            let shown = dashboard_of(alert);
            let page = format!("/d/{shown}?var-namespace={namespace}&var-tenant={TENANT}");
            ensure!(dashboard.ends_with(&page), "{message:?}");
            let known = keys.entry((alert, &message.told.severity)).or_default();
            known.extend(message.key.as_deref());
        }
        let all: BTreeSet<&&str> = keys.values().flatten().collect();
        let sum: usize = keys.values().map(BTreeSet::len).sum();
        let one_each = keys.values().all(|keys| keys.len() <= 1);
        ensure!(one_each && all.len() == sum, "PagerDuty's keys: {keys:?}");
        Ok(())
    }
}

fn dashboard_of(alert: &str) -> &'static str {
    match alert {
        "DocketDatabaseErrors" | "DocketDatabaseSlow" | "DocketPoolExhausted" => "docket-database",
        BUDGET => "docket-objectives",
        _ => "docket-service",
    }
}

/// What is in `all` more often than in `others`.
fn without(all: &[Told], others: &[Told]) -> Vec<Told> {
    let mut others = others.to_vec();
    let mut left = Vec::new();
    for told in all {
        match others.iter().position(|other| other == told) {
            Some(at) => drop(others.swap_remove(at)),
            None => left.push(told.clone()),
        }
    }
    left
}
