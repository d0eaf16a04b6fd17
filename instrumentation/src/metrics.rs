//! Metrics: each instrument is defined once and read twice, by `/metrics` and by OTLP.

use std::fmt::Debug;
use std::sync::Weak;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, PeriodicReader, Pipeline, SdkMeterProvider, Temporality,
};
use prometheus::{Encoder, Registry, TextEncoder};

use crate::losses::Losses;

/// Upper bounds, in seconds, of a latency histogram; objectives of 100, 300 and 500 ms are exact.
pub const LATENCY_BUCKETS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// What `GET /metrics` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsPage {
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// Prometheus text exposition format 0.0.4.
    pub body: String,
}

/// A meter provider that fills `registry`, and pushes through `otlp` where there is one.
///
/// Instruments are exposed under exactly the name they were given, so that a name in a dashboard
/// can be searched for in the source.
pub(crate) fn provider(
    resource: Resource,
    registry: &Registry,
    otlp: Option<impl PushMetricExporter + Debug>,
) -> anyhow::Result<SdkMeterProvider> {
    let page = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .without_units()
        .without_counter_suffixes()
        .scope_info_enabled(false)
        .build()
        .context("the registry of metrics cannot be set up")?;
    let builder = SdkMeterProvider::builder().with_resource(resource);
    Ok(match otlp {
        Some(exporter) => {
            let push = PeriodicReader::builder(exporter).build();
            builder.with_reader(Both { page, push }).build()
        }
        None => builder.with_reader(page).build(),
    })
}

/// Two readers of the same sums: readers by themselves would each have every measurement counted anew.
#[derive(Debug)]
struct Both<E: PushMetricExporter + Debug> {
    page: PrometheusExporter,
    push: PeriodicReader<E>,
}

impl<E: PushMetricExporter + Debug> MetricReader for Both<E> {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.page.register_pipeline(pipeline.clone());
        self.push.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.page.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.push.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.push.shutdown_with_timeout(timeout)?;
        self.page.shutdown_with_timeout(timeout)
    }

    /// Sums since the start: a page has no others.
    fn temporality(&self, _: InstrumentKind) -> Temporality {
        Temporality::Cumulative
    }
}

/// An exporter whose failures are counted. What failed is in the next export: the sums are those
/// since the start.
#[derive(Debug)]
pub(crate) struct Counted<E> {
    pub(crate) exporter: E,
    pub(crate) losses: Losses,
}

impl<E: PushMetricExporter> PushMetricExporter for Counted<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let result = self.exporter.export(metrics).await;
        self.losses.export(1, result.is_ok());
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// All metrics of `registry` in the Prometheus text format, for `GET /metrics`.
///
/// # Errors
/// When a metric has a name or label that the format cannot express.
pub fn render(registry: &Registry) -> anyhow::Result<MetricsPage> {
    let mut body = Vec::new();
    TextEncoder::new()
        .encode(&registry.gather(), &mut body)
        .context("metrics cannot be encoded")?;
    let body = String::from_utf8(body).context("metrics are not UTF-8")?;
    Ok(MetricsPage {
        content_type: prometheus::TEXT_FORMAT,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::KeyValue;
    use opentelemetry::metrics::MeterProvider as _;

    #[test]
    fn an_instrument_is_exposed_under_the_name_it_was_given() {
        let registry = Registry::new();
        let resource = Resource::builder_empty()
            .with_service_name("docket-api")
            .build();
        let provider = provider(
            resource,
            &registry,
            None::<opentelemetry_otlp::MetricExporter>,
        )
        .expect("a provider");
        let meter = provider.meter("docket");
        let labels = [
            KeyValue::new("method", "GET"),
            KeyValue::new("path", "/clients/{client}/orders/{id}"),
            KeyValue::new("status", "200"),
        ];
        meter
            .u64_counter("http_requests_total")
            .with_description("Requests answered")
            .build()
            .add(2, &labels);
        meter
            .f64_histogram("http_request_duration_seconds")
            .with_unit("s")
            .with_description("Time to answer a request")
            .with_boundaries(vec![0.1, 0.3])
            .build()
            .record(0.2, &labels);
        meter
            .u64_gauge("database_connection_pool")
            .with_description("Connections to Postgres")
            .build()
            .record(3, &[KeyValue::new("state", "idle")]);
        insta::assert_snapshot!(render(&registry).expect("a page").body);
    }
}
