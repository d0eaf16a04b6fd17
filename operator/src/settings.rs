//! What the operator is told on its command line or by its environment.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::allowed::Pattern;
use crate::network::{Egress, Peers};

/// Turns DocumentTenants into running services.
///
/// It works in the cluster that KUBECONFIG names, or in the one that it runs in.
/// Its own traces, metrics and logs go to OTEL_EXPORTER_OTLP_ENDPOINT where that is set; RUST_LOG
/// says how much it logs.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Settings {
    /// Image of the API server, for tenants that name none.
    #[arg(long, env = "DOCKET_API_IMAGE")]
    pub api_image: String,
    /// Image of the OpenTelemetry Collector that runs beside each API container.
    #[arg(long, env = "DOCKET_COLLECTOR_IMAGE")]
    pub collector_image: String,
    /// OTLP/gRPC endpoint that collectors send to, for tenants that name none.
    #[arg(long, env = "DOCKET_TELEMETRY_ENDPOINT")]
    pub telemetry_endpoint: Option<String>,
    /// A namespace whose tenants it cares for, one option each; without any, those of all namespaces.
    #[arg(long, env = "DOCKET_NAMESPACES", value_delimiter = ',')]
    pub namespace: Vec<String>,
    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "DOCKET_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Tenants that are reconciled at the same time.
    #[arg(long, env = "DOCKET_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub concurrency: u16,
    /// Time after which a request to the API server that was not answered has failed.
    #[arg(long, env = "DOCKET_API_DEADLINE", default_value = "10s", value_parser = duration(1..=300))]
    pub api_deadline: Duration,
    /// Time after which a transaction in a tenant's database that did not end has failed.
    #[arg(long, env = "DOCKET_SQL_DEADLINE", default_value = "1m", value_parser = duration(1..=3600))]
    pub sql_deadline: Duration,
    /// Base URL of a Prometheus, or of what speaks like one, that scrapes the tenants' pods: how far
    /// objectives are met is read from it. Without one it is not said.
    #[arg(long, env = "DOCKET_PROMETHEUS_URL")]
    pub prometheus_url: Option<String>,
    /// File with the authorities of that server's certificate, as PEM.
    #[arg(long, env = "DOCKET_PROMETHEUS_CA_FILE", requires = "prometheus_url")]
    pub prometheus_ca_file: Option<PathBuf>,
    /// Folder with a file for each header of a request to that server, such as Authorization.
    #[arg(long, env = "DOCKET_PROMETHEUS_HEADERS", requires = "prometheus_url")]
    pub prometheus_headers: Option<PathBuf>,
    /// Time between two looks at how far objectives are met.
    #[arg(long, env = "DOCKET_OBJECTIVES_INTERVAL", default_value = "30s", value_parser = duration(1..=3600))]
    pub objectives_interval: Duration,
    /// Time between two looks at whether tenants' databases can be used.
    #[arg(long, env = "DOCKET_DATABASES_INTERVAL", default_value = "10s", value_parser = duration(1..=3600))]
    pub databases_interval: Duration,
    /// Namespace and name, as `namespace/name`, of the ConfigMap that the rules of all tenants are
    /// written to while the cluster has no PrometheusRules; further ones are called `name-1` and so on.
    /// Without it they are written to none.
    #[arg(long, env = "DOCKET_RULES_CONFIG_MAP", value_parser = namespaced)]
    pub rules_config_map: Option<(String, String)>,
    /// How many such ConfigMaps there may be.
    #[arg(long, env = "DOCKET_RULES_SHARDS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub rules_shards: u8,
    /// Time between two looks at whether they are as they should be.
    #[arg(long, env = "DOCKET_RULES_INTERVAL", default_value = "10s", value_parser = duration(1..=3600))]
    pub rules_interval: Duration,
    /// URL that the pages of alerts are below: links to `<URL>/<alert>.md`.
    #[arg(long, env = "DOCKET_RUNBOOKS_URL")]
    pub runbooks_url: Option<String>,
    /// URL of the Grafana that alerts link to.
    #[arg(long, env = "DOCKET_DASHBOARDS_URL")]
    pub dashboards_url: Option<String>,
    /// Label `key=value` of every PrometheusRule and PodMonitor, by which a Prometheus chooses them.
    #[arg(long, env = "DOCKET_MONITORING_LABELS", value_delimiter = ',', value_parser = label)]
    pub monitoring_label: Vec<(String, String)>,
    /// Who brings callers from outside to tenants with an Ingress or an HTTPRoute: peers of a NetworkPolicy,
    /// as JSON. Without any, such a tenant's API is open to everybody.
    #[arg(long, env = "DOCKET_GATEWAYS", default_value = "[]")]
    pub gateways: Peers,
    /// Who reads the metrics of tenants' pods: peers of a NetworkPolicy, as JSON.
    #[arg(long, env = "DOCKET_SCRAPERS", default_value = "[]")]
    pub scrapers: Peers,
    /// Where tenants' pods may connect to.
    #[arg(long, env = "DOCKET_EGRESS", value_enum, default_value_t)]
    pub egress: Egress,
    /// An image that tenants may name, one option each, or with /*, :* or @* at its end all that begin so; without any,
    /// they may name all.
    #[arg(long, env = "DOCKET_ALLOWED_IMAGES", value_delimiter = ',')]
    pub allowed_image: Vec<Pattern>,
    /// A key of annotations that a tenant's Ingress may have, likewise.
    #[arg(
        long,
        env = "DOCKET_ALLOWED_INGRESS_ANNOTATIONS",
        value_delimiter = ','
    )]
    pub allowed_ingress_annotation: Vec<Pattern>,
    /// A class that a tenant's Ingress may have, likewise; with any, it must name one.
    #[arg(long, env = "DOCKET_ALLOWED_INGRESS_CLASSES", value_delimiter = ',')]
    pub allowed_ingress_class: Vec<Pattern>,
    /// Namespace of the Lease that keeps a second operator from writing.
    #[arg(long, env = "POD_NAMESPACE", default_value = "docket-system")]
    pub lease_namespace: String,
    /// Name under which this process holds the Lease; it must differ between processes.
    #[arg(long, env = "POD_NAME", default_value_t = format!("docket-operator-{}", std::process::id()))]
    pub identity: String,
}

impl Settings {
    /// The namespaces whose tenants it cares for, in order; none where these are all.
    #[must_use]
    pub fn namespaces(&self) -> Vec<String> {
        let named = self.namespace.iter().filter(|name| !name.is_empty());
        let mut namespaces: Vec<String> = named.cloned().collect();
        namespaces.sort();
        namespaces.dedup();
        namespaces
    }
}

/// A duration such as `10s`, of so many seconds.
fn duration(bounds: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| match humantime::parse_duration(text) {
        Ok(time) if bounds.contains(&time.as_secs()) => Ok(time),
        Ok(_) => Err(format!(
            "it is from {}s to {}s",
            bounds.start(),
            bounds.end()
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn namespaced(text: &str) -> Result<(String, String), String> {
    let (namespace, name) = text.split_once('/').ok_or("it is namespace/name")?;
    Ok((namespace.to_owned(), name.to_owned()))
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it is key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Settings::command().debug_assert();
    }

    #[test]
    fn each_namespace_counts_once_and_none_means_all() {
        let namespaces = |flags: &[&str]| {
            let required = ["docket-operator", "--api-image=a", "--collector-image=c"];
            let settings = Settings::try_parse_from(required.iter().chain(flags));
            settings.expect("settings").namespaces()
        };
        assert_eq!(namespaces(&[]), [""; 0]);
        assert_eq!(namespaces(&["--namespace="]), [""; 0]);
        let flags = ["--namespace=globex", "--namespace=acme,globex"];
        assert_eq!(namespaces(&flags), ["acme", "globex"]);
    }

    #[test]
    fn a_duration_has_a_unit_and_bounds() {
        let deadline = |text: &str| {
            let required = ["docket-operator", "--api-image=a", "--collector-image=c"];
            let flags = required.into_iter().chain(["--api-deadline", text]);
            Settings::try_parse_from(flags).map(|settings| settings.api_deadline)
        };
        for (text, seconds) in [("1s", 1), ("1m 30s", 90), ("5m", 300)] {
            let expected = Duration::from_secs(seconds);
            assert_eq!(deadline(text).expect("a duration"), expected);
        }
        for wrong in ["10", "", "999ms", "301s", "1h"] {
            assert!(deadline(wrong).is_err(), "{wrong}");
        }
    }
}
