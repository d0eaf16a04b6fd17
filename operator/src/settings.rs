//! What the operator is told on its command line or by its environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Turns DocumentTenants into running document services.
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
    /// The one namespace whose tenants it cares for; those of all namespaces when it is empty.
    #[arg(long, env = "DOCKET_NAMESPACE", default_value = "")]
    pub namespace: String,
    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "DOCKET_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Tenants that are reconciled at the same time.
    #[arg(long, env = "DOCKET_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub concurrency: u16,
    /// Seconds after which a request to the API server that was not answered has failed.
    #[arg(long, env = "DOCKET_API_DEADLINE", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub api_deadline: u64,
    /// Seconds after which a transaction in a tenant's database that did not end has failed.
    #[arg(long, env = "DOCKET_SQL_DEADLINE", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub sql_deadline: u64,
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
    /// Seconds between two looks at how far objectives are met.
    #[arg(long, env = "DOCKET_OBJECTIVES_INTERVAL", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub objectives_interval: u64,
    /// Namespace of the Lease that keeps a second operator from writing.
    #[arg(long, env = "POD_NAMESPACE", default_value = "docket-system")]
    pub lease_namespace: String,
    /// Name under which this process holds the Lease; it must differ between processes.
    #[arg(long, env = "POD_NAME", default_value_t = format!("docket-operator-{}", std::process::id()))]
    pub identity: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Settings::command().debug_assert();
    }
}
