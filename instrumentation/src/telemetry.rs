//! The providers of the three signals, from start to shutdown.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use prometheus::Registry;
use tokio::sync::oneshot;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::correlation::Correlate;
use crate::log_lines::JsonLines;
use crate::log_writer::{BatchedLines, LastLines};
use crate::losses::{self, Losses};
use crate::metrics::{self, Counted, MetricsPage};
use crate::outgoing_logs::OutgoingLogs;
use crate::outgoing_spans::OutgoingSpans;
use crate::queue::Queue;
use crate::text_lines::Redacting;
use crate::{Service, log_filter, sampling};

const SHUTDOWN: Duration = Duration::from_secs(3);

/// What [`init`] started. Keep it until the process ends, then [shut it down](Self::shutdown).
#[derive(Debug)]
#[must_use = "telemetry that is not shut down loses its last seconds"]
pub struct Telemetry {
    registry: Registry,
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: Option<SdkLoggerProvider>,
    _last_lines: LastLines,
}

/// Starts traces, metrics and logs for the whole process; call it once, inside a Tokio runtime.
///
/// Spans come from `tracing`, metrics from `opentelemetry::global::meter`. A collector that does
/// not answer costs what it would have received, nothing else; `telemetry_dropped_total` says how
/// much that was. Personal data is [redacted](crate::redact) in all that is written or sent.
///
/// # Errors
/// When `RUST_LOG`, `DOCKET_LOG_FORMAT` or an `OTEL_EXPORTER_OTLP_*` variable cannot be
/// understood, or when a subscriber is already set.
pub fn init(service: Service) -> anyhow::Result<Telemetry> {
    let resource = service.resource(variable("OTEL_SERVICE_NAME"));
    let enabled = variable("OTEL_SDK_DISABLED").as_deref() != Some("true");
    let exports = enabled && variable("OTEL_EXPORTER_OTLP_ENDPOINT").is_some();
    let registry = Registry::new();
    let (spans, records, pushes) = (Queue::default(), Queue::default(), Losses::default());
    let metric_exporter = metric_exporter(exports, pushes.clone())?;
    let most = service.traces_per_second;
    let lines = BatchedLines::to(std::io::stdout()).context("no thread for the log lines")?;
    let telemetry = Telemetry {
        metrics: metrics::provider(resource.clone(), &registry, metric_exporter)?,
        traces: tracer_provider(resource.clone(), most, exports, spans.clone())?,
        logs: exports
            .then(|| logger_provider(resource, records.clone()))
            .transpose()?,
        registry,
        _last_lines: LastLines(lines.clone()),
    };
    let signals = [
        ("traces", spans.losses),
        ("logs", records.losses),
        ("metrics", pushes),
    ];
    losses::observe(&telemetry.metrics.meter("docket"), signals);
    if enabled {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        opentelemetry::global::set_tracer_provider(telemetry.traces.clone());
        opentelemetry::global::set_meter_provider(telemetry.metrics.clone());
    }
    let tracer = enabled.then(|| telemetry.traces.tracer(service.name));
    subscribe(tracer, telemetry.logs.as_ref(), lines)?;
    Ok(telemetry)
}

impl Telemetry {
    /// All metrics in the Prometheus text format, for `GET /metrics`.
    ///
    /// # Errors
    /// When a metric has a name or label that the format cannot express.
    pub fn render_metrics(&self) -> anyhow::Result<MetricsPage> {
        metrics::render(&self.registry)
    }

    /// The registry behind [`render_metrics`](Self::render_metrics); clones share it.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Sends what is still buffered and stops, within three seconds whatever the collector does.
    pub async fn shutdown(self) {
        let Self {
            traces,
            metrics,
            logs,
            ..
        } = self;
        let all = async {
            tokio::join!(
                off_thread(move || traces.shutdown_with_timeout(SHUTDOWN)),
                off_thread(move || metrics.shutdown_with_timeout(SHUTDOWN)),
                off_thread(move || logs.map_or(Ok(()), |logs| logs.shutdown_with_timeout(SHUTDOWN))),
            )
        };
        // Whatever was not delivered by now is lost, and there is nowhere left to say so.
        let _ = tokio::time::timeout(SHUTDOWN, all).await;
    }
}

/// Runs `work` on a thread that the end of the process need not wait for, unlike a blocking task.
async fn off_thread(work: impl FnOnce() -> OTelSdkResult + Send + 'static) {
    let (done, wait) = oneshot::channel();
    std::thread::spawn(move || done.send(work()));
    let _ = wait.await;
}

fn metric_exporter(
    exports: bool,
    losses: Losses,
) -> anyhow::Result<Option<Counted<MetricExporter>>> {
    let exporter = exports
        .then(|| MetricExporter::builder().with_tonic().build())
        .transpose()
        .context("the exporter of metrics cannot be set up: check OTEL_EXPORTER_OTLP_ENDPOINT")?;
    Ok(exporter.map(|exporter| Counted { exporter, losses }))
}

fn tracer_provider(
    resource: Resource,
    per_second: Option<u32>,
    exports: bool,
    queue: Queue,
) -> anyhow::Result<SdkTracerProvider> {
    let mut builder = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(Correlate);
    let sampler = variable("OTEL_TRACES_SAMPLER");
    match (per_second, sampler.as_deref()) {
        (Some(most), None) => builder = builder.with_sampler(sampling::at_most(most)),
        // As the SDK's own, but what failed or was slow is kept.
        (Some(_), Some("parentbased_traceidratio")) => {
            builder = builder.with_sampler(sampling::part(sampled_part()?));
        }
        // The SDK itself reads the variable.
        _ => {}
    }
    if !exports {
        return Ok(builder.build());
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .build()
        .context("the exporter of traces cannot be set up: check OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let outgoing = OutgoingSpans::to(exporter, queue);
    Ok(builder.with_span_processor(outgoing).build())
}

fn sampled_part() -> anyhow::Result<f64> {
    let Some(argument) = variable("OTEL_TRACES_SAMPLER_ARG") else {
        return Ok(1.0);
    };
    let part = argument.parse().ok();
    part.filter(|part| (0.0..=1.0).contains(part))
        .with_context(|| {
            format!("OTEL_TRACES_SAMPLER_ARG is {argument:?}: it must be a number from 0 to 1")
        })
}

fn logger_provider(resource: Resource, queue: Queue) -> anyhow::Result<SdkLoggerProvider> {
    let exporter = LogExporter::builder()
        .with_tonic()
        .build()
        .context("the exporter of logs cannot be set up: check OTEL_EXPORTER_OTLP_ENDPOINT")?;
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_log_processor(Correlate)
        .with_log_processor(OutgoingLogs::to(exporter, queue))
        .build())
}

fn subscribe(
    tracer: Option<SdkTracer>,
    logs: Option<&SdkLoggerProvider>,
    lines: BatchedLines,
) -> anyhow::Result<()> {
    let (json, text) = match variable("DOCKET_LOG_FORMAT").as_deref() {
        None | Some("json") => (Some(JsonLines::new(lines)), None),
        Some("text") => (
            None,
            Some(fmt::layer().with_writer(|| Redacting(std::io::stdout()))),
        ),
        Some(other) => anyhow::bail!("DOCKET_LOG_FORMAT is {other:?}: it must be json or text"),
    };
    let filter = || log_filter::lines(variable("RUST_LOG"));
    let spans = tracer.map(|tracer| {
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
    });
    let records = logs.map(OpenTelemetryTracingBridge::new);
    // A span that no layer wants costs next to nothing, and JSON lines show none; text lines show all. A
    // filter without a layer would want some all the same.
    let recorded = json.is_some().then(log_filter::recorded_spans);
    let events = filter_fn(|metadata| metadata.is_event());
    let (of_json, of_text) = (events.and(filter()?), filter()?);
    tracing_subscriber::registry()
        .with(spans.map(|layer| layer.with_filter(log_filter::exported_spans())))
        .with(records.map(|layer| layer.with_filter(log_filter::exported_lines())))
        .with(json.map(|layer| layer.with_filter(of_json)))
        .with(text.map(|layer| layer.with_filter(of_text)))
        .with(recorded)
        .try_init()
        .context("another subscriber of tracing is already set")
}

/// An environment variable; one that is empty counts as unset.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
