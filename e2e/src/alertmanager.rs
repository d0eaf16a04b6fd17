//! The Alertmanager of the development stack.

use anyhow::{Context, Result};
use kube::Client;
use reqwest::Url;
use serde_json::{Value, json};

use crate::objects::Objects;
use crate::scenario::DEV_NAMESPACE;
use crate::wait::until;

/// An Alertmanager that can be asked.
pub struct Alertmanager {
    http: reqwest::Client,
    url: String,
}

impl Alertmanager {
    /// That of the cluster.
    ///
    /// # Errors
    /// It has none.
    pub async fn of(client: &Client) -> Result<Self> {
        let stack = Objects::new(client.clone(), DEV_NAMESPACE);
        let address = stack.address("alertmanager").await?;
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            url: format!("http://{address}:9093/api/v2"),
        })
    }

    /// Silences all that is about the tenants of `namespace`; the id of the silence.
    ///
    /// # Errors
    /// It is refused.
    pub async fn silence(&self, namespace: &str) -> Result<String> {
        let silence = json!({
            "matchers": [{"name": "namespace", "value": namespace, "isRegex": false, "isEqual": true}],
            "startsAt": "2000-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
            "createdBy": "e2e", "comment": "until the test ends it",
        });
        let asked = self.http.post(format!("{}/silences", self.url));
        let answer = asked.json(&silence).send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        let id = answer["silenceID"].as_str().context("no silenceID")?;
        Ok(id.to_owned())
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn end_silence(&self, id: &str) -> Result<()> {
        let asked = self.http.delete(format!("{}/silence/{id}", self.url));
        asked.send().await?.error_for_status()?;
        Ok(())
    }

    /// Waits until all that it knows under the name `alert` in `namespace`, and that is something, is
    /// kept from being told `by`: `silencedBy` or `inhibitedBy`.
    ///
    /// # Errors
    /// It goes on being told.
    pub async fn keeps_back(&self, namespace: &str, alert: &str, by: &str) -> Result<()> {
        let filters = [
            ("filter", format!("namespace=\"{namespace}\"")),
            ("filter", format!("alertname=\"{alert}\"")),
        ];
        let url = Url::parse_with_params(&format!("{}/alerts", self.url), filters)?;
        until(&format!("{alert}, {by}"), async || {
            let known: Vec<Value> = self.http.get(url.clone()).send().await?.json().await?;
            let kept = |alert: &Value| {
                let reasons = alert["status"][by].as_array();
                reasons.is_some_and(|reasons| !reasons.is_empty())
            };
            let all = !known.is_empty() && known.iter().all(kept);
            Ok(all.then_some(()).ok_or_else(|| format!("{known:?}")))
        })
        .await
    }
}
