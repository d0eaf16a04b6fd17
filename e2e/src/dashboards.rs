//! What the dashboards of the chart ask for.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// One query of a panel, or of a variable that one chooses panels' data by.
#[derive(Clone, Debug)]
pub struct Query {
    /// Dashboard and panel.
    place: String,
    /// PromQL, without variables.
    pub expression: String,
}

impl fmt::Display for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.expression)
    }
}

/// All queries of the dashboard `name`, with the values of `variables` put in.
///
/// # Errors
/// There is no such dashboard.
pub fn queries(name: &str, variables: &[(&str, &str)]) -> Result<Vec<Query>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../charts/docket/dashboards/{name}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let dashboard: Value = serde_json::from_str(&text)?;
    let query = |place: &Value, expression: &str| Query {
        place: format!("{name}, {}", place.as_str().unwrap_or_default()),
        expression: filled(expression, variables),
    };
    let of_panels = list(&dashboard["panels"]).flat_map(|panel| {
        let expressions = list(&panel["targets"]).filter_map(|target| target["expr"].as_str());
        expressions.map(|expression| query(&panel["title"], expression))
    });
    let of_variables = list(&dashboard["templating"]["list"]).filter_map(|variable| {
        let call = variable["query"].as_str()?.strip_prefix("label_values(")?;
        let (series, label) = call.strip_suffix(')')?.rsplit_once(", ")?;
        let labelled = format!("group by ({label}) ({series})");
        Some(query(&variable["name"], &labelled))
    });
    Ok(of_panels.chain(of_variables).collect())
}

fn filled(expression: &str, variables: &[(&str, &str)]) -> String {
    let all = variables.iter().chain(&[("__rate_interval", "1m")]);
    all.fold(expression.to_owned(), |text, (name, value)| {
        text.replace(&format!("${name}"), value)
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
