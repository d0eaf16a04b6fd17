//! The Prometheus of the development stack.

use anyhow::{Result, bail};
use kube::Client;
use reqwest::Url;
use serde_json::Value;

use crate::objects::Objects;
use crate::scenario::DEV_NAMESPACE;

/// A Prometheus that can be asked.
#[derive(Clone, Debug)]
pub struct Prometheus {
    http: reqwest::Client,
    url: String,
}

impl Prometheus {
    /// That of the cluster.
    ///
    /// # Errors
    /// It has none.
    pub async fn of(client: &Client) -> Result<Self> {
        let stack = Objects::new(client.clone(), DEV_NAMESPACE);
        let address = stack.address("prometheus").await?;
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            url: format!("http://{address}:9090/api/v1/query"),
        })
    }

    /// The numbers that it answers the PromQL `query` with; what divides by nothing is none.
    ///
    /// # Errors
    /// It does not understand the query, or is not there.
    pub async fn numbers(&self, query: &str) -> Result<Vec<f64>> {
        let url = Url::parse_with_params(&self.url, [("query", query)])?;
        let answer: Value = self.http.get(url).send().await?.json().await?;
        let Some(series) = answer["data"]["result"].as_array() else {
            bail!("{query}: {answer}");
        };
        let values = series.iter().filter_map(|it| it["value"][1].as_str());
        let numbers = values.filter_map(|value| value.parse::<f64>().ok());
        Ok(numbers.filter(|number| !number.is_nan()).collect())
    }
}
