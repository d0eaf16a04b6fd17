//! Which events become log lines, and which of them leave the process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::DynFilterFn;
use tracing_subscriber::layer::Context;

use crate::sampling::is_dropped;

/// Crates that carry telemetry: what they log about an export must not be exported.
const CARRIERS: [&str; 6] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "tonic",
    "tower",
];

/// `RUST_LOG`, or `info` with the transports at `warn`.
pub(crate) fn lines(rust_log: Option<String>) -> anyhow::Result<EnvFilter> {
    let default = || {
        CARRIERS
            .iter()
            .fold(String::from("info"), |all, one| format!("{all},{one}=warn"))
    };
    let directives = rust_log
        .filter(|value| !value.is_empty())
        .unwrap_or_else(default);
    EnvFilter::try_new(&directives)
        .map_err(|error| anyhow::anyhow!("RUST_LOG is not a log filter: {error}"))
}

/// Spans that may be exported, and events as parts of them: `info` and up, nothing of the exporters
/// themselves, nothing below a span whose trace is not recorded.
///
/// Asked anew for each: the answer of a filter is kept per thread until a span or event uses it up,
/// so after a mere question (`enabled!`, as sqlx asks) a cached yes would meet that question's no.
pub(crate) fn exported_spans<S>() -> DynFilterFn<S> {
    DynFilterFn::new(|metadata: &Metadata<'_>, _: &Context<'_, S>| {
        !is_dropped() && may_leave(metadata)
    })
}

/// For all layers together: no span of a trace that is not recorded.
///
/// Filters of single layers are not enough: a span that each of them refuses is made all the same.
pub(crate) fn recorded_spans<S>() -> DynFilterFn<S> {
    DynFilterFn::new(|metadata: &Metadata<'_>, _: &Context<'_, S>| {
        !(metadata.is_span() && is_dropped())
    })
}

/// Events that may be exported as log records: as [`exported_spans`], but warnings and errors always.
pub(crate) fn exported_lines<S>() -> DynFilterFn<S> {
    DynFilterFn::new(|metadata: &Metadata<'_>, _: &Context<'_, S>| {
        metadata.is_event()
            && (*metadata.level() <= Level::WARN || !is_dropped())
            && may_leave(metadata)
    })
}

fn may_leave(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO && !is_carrier(metadata)
}

fn is_carrier(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    CARRIERS.contains(&root) || root.starts_with("opentelemetry")
}

/// Lets each message of the OpenTelemetry SDK through once in a period, so that a collector that
/// is away for a night costs a line a minute.
#[derive(Debug)]
pub(crate) struct ExportComplaints {
    period: Duration,
    last: Mutex<HashMap<Identifier, Instant>>,
}

impl ExportComplaints {
    pub(crate) fn every(period: Duration) -> Self {
        Self {
            period,
            last: Mutex::default(),
        }
    }

    pub(crate) fn allows(&self, metadata: &Metadata<'_>, now: Instant) -> bool {
        if !metadata.target().starts_with("opentelemetry") {
            return true;
        }
        let Ok(mut last) = self.last.lock() else {
            return false;
        };
        let due = last
            .get(&metadata.callsite())
            .is_none_or(|before| now.duration_since(*before) >= self.period);
        if due {
            last.insert(metadata.callsite(), now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use opentelemetry::Context as OtelContext;
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    };
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{Layer, registry};

    use super::*;

    #[test]
    fn rust_log_that_cannot_be_read_is_refused_with_its_name() {
        let error = lines(Some("a=b=c".into())).expect_err("not a filter");
        assert!(
            error
                .to_string()
                .starts_with("RUST_LOG is not a log filter")
        );
    }

    #[test]
    fn a_trace_that_is_not_recorded_has_no_spans_and_all_its_events() {
        let events = Arc::new(AtomicUsize::new(0));
        let layer = Count(events.clone()).with_filter(exported_spans());
        let subscriber = registry().with(layer).with(recorded_spans());
        let _subscriber = tracing::subscriber::set_default(subscriber);
        let parts = [false, true, false].map(|recorded| {
            let flags = TraceFlags::new(u8::from(recorded));
            let (trace, span) = (TraceId::from(1), SpanId::from(1));
            let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
            let _place = OtelContext::new().with_remote_span_context(parent).attach();
            let span = tracing::info_span!("request").entered();
            tracing::warn!("an event");
            let seen = (span.is_disabled(), tracing::Span::current().is_none());
            drop(span);
            seen
        });
        assert_eq!(parts, [(true, true), (false, false), (true, true)]);
        assert_eq!(events.load(Ordering::Relaxed), 1, "of what is exported");
    }

    /// Counts events.
    struct Count(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn transports_are_quiet_unless_asked_for() {
        assert!(
            lines(None)
                .expect("a filter")
                .to_string()
                .contains("h2=warn")
        );
        assert_eq!(
            lines(Some("debug".into())).expect("a filter").to_string(),
            "debug"
        );
    }
}
