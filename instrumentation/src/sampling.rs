//! Which traces are recorded: all of them until there are too many, so that load cannot multiply what
//! telemetry costs; and always what failed or was slow.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::{
    Link, SpanContext, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    IdGenerator as _, ParentBasedSampler, RandomIdGenerator, Sampler, SamplingDecision,
    SamplingResult, ShouldSample,
};

/// Attribute of a span that is recorded although its trace is not.
pub(crate) const KEPT: &str = "docket.kept";

/// Traces a second that are recorded because their callers ask for it, where a part of all is.
const ASKED_FOR: u32 = 50;

const PERIOD: Duration = Duration::from_secs(1);

/// What limits this process, when anything does.
static LIMIT: OnceLock<Limit> = OnceLock::new();

/// The first `per_second` traces of each second, for the whole process from now on, but for those that their
/// callers do not record.
pub(crate) fn at_most(per_second: u32) -> ParentBasedSampler {
    limited(Limit::PerSecond(AtMost::new(per_second)))
}

/// A `part` of the traces, from 0 to 1, for the whole process from now on: but for those that their callers
/// do not record, and with up to fifty a second of those that they do.
pub(crate) fn part(part: f64) -> ParentBasedSampler {
    limited(Limit::Part(part, AtMost::new(ASKED_FOR)))
}

/// Roots are let pass: those of requests were decided on before they had a span.
fn limited(limit: Limit) -> ParentBasedSampler {
    let _ = LIMIT.set(limit);
    sampler(Sampler::AlwaysOn)
}

fn sampler(root: Sampler) -> ParentBasedSampler {
    Sampler::parent_based(root).with_local_parent_not_sampled(KeptOnly)
}

/// The place of a request below `parent` whose trace is not recorded, for it to run in; `None` when
/// its trace is, and it should have a span.
///
/// A span that is dropped later costs about as much as one that is kept, until then.
pub(crate) fn dropped(parent: &Context) -> Option<Context> {
    dropped_by(LIMIT.get()?, parent)
}

fn dropped_by(limit: &Limit, parent: &Context) -> Option<Context> {
    let caller = parent.span().span_context().clone();
    let (trace, recorded) = match caller.is_valid() {
        // Whoever calls may ask for its trace to be recorded, before it has proved anything.
        true => (
            caller.trace_id(),
            caller.is_sampled() && limit.admits_asked_for(),
        ),
        false => {
            let trace = RandomIdGenerator::default().new_trace_id();
            (trace, limit.admits(trace))
        }
    };
    (!recorded).then(|| {
        let span = RandomIdGenerator::default().new_span_id();
        let state = caller.trace_state().clone();
        let place = SpanContext::new(trace, span, TraceFlags::default(), false, state);
        parent.with_remote_span_context(place)
    })
}

/// Whether the current span belongs to a trace that is not recorded.
pub(crate) fn is_dropped() -> bool {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid() && !span.is_sampled()
    })
}

#[derive(Debug)]
enum Limit {
    PerSecond(AtMost),
    /// And of those that are asked for.
    Part(f64, AtMost),
}

impl Limit {
    fn admits(&self, trace: TraceId) -> bool {
        match self {
            Self::PerSecond(limit) => limit.admits(Instant::now()),
            Self::Part(part, _) => {
                let sampler = Sampler::TraceIdRatioBased(*part);
                let result = sampler.should_sample(None, trace, "", &SpanKind::Server, &[], &[]);
                result.decision == SamplingDecision::RecordAndSample
            }
        }
    }

    /// The id is the caller's choice, and decides nothing.
    fn admits_asked_for(&self) -> bool {
        let any = || RandomIdGenerator::default().new_trace_id();
        match self {
            Self::PerSecond(limit) => limit.admits(Instant::now()),
            Self::Part(_, asked_for) => self.admits(any()) || asked_for.admits(Instant::now()),
        }
    }
}

#[derive(Debug)]
struct AtMost {
    per_second: u32,
    /// Start of the second, and the traces that began in it.
    window: Mutex<(Instant, u32)>,
}

impl AtMost {
    fn new(per_second: u32) -> Self {
        Self {
            per_second,
            window: Mutex::new((Instant::now(), 0)),
        }
    }

    fn admits(&self, now: Instant) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(window.0) >= PERIOD {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        window.1 <= self.per_second
    }
}

/// Below a span that was not recorded.
#[derive(Clone, Debug)]
struct KeptOnly;

impl ShouldSample for KeptOnly {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        recorded_if(
            attributes
                .iter()
                .any(|attribute| attribute.key.as_str() == KEPT),
        )
    }
}

fn recorded_if(wanted: bool) -> SamplingResult {
    SamplingResult {
        decision: match wanted {
            true => SamplingDecision::RecordAndSample,
            false => SamplingDecision::Drop,
        },
        attributes: Vec::new(),
        trace_state: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{Span as _, SpanId, TraceState, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

    fn tracer() -> SdkTracer {
        let provider = SdkTracerProvider::builder().with_sampler(sampler(Sampler::AlwaysOn));
        provider.build().tracer("test")
    }

    fn remote(flags: TraceFlags) -> Context {
        let (trace, span) = (TraceId::from(1), SpanId::from(1));
        let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
        Context::new().with_remote_span_context(parent)
    }

    #[test]
    fn a_second_has_so_many_traces_and_the_next_one_as_many_again() {
        let sampler = AtMost::new(2);
        let start = Instant::now();
        let admitted = |at: Duration| (0..5).filter(|_| sampler.admits(start + at)).count();
        assert_eq!(admitted(Duration::from_millis(500)), 2);
        assert_eq!(admitted(Duration::from_millis(900)), 0);
        assert_eq!(admitted(Duration::from_millis(1500)), 2);
    }

    fn per_second(most: u32) -> Limit {
        Limit::PerSecond(AtMost::new(most))
    }

    #[test]
    fn a_part_of_the_traces_is_recorded_and_none_or_all_of_them_at_the_ends() {
        let recorded = |part| {
            let limit = Limit::Part(part, AtMost::new(0));
            let traces = (0..2000).filter(|_| dropped_by(&limit, &Context::new()).is_none());
            traces.count()
        };
        assert_eq!((recorded(0.0), recorded(1.0)), (0, 2000));
        let tenth = recorded(0.1);
        assert!((100..320).contains(&tenth), "{tenth}");
    }

    #[test]
    fn a_caller_that_asks_for_its_trace_gets_what_others_get_and_no_more() {
        let sampled = remote(TraceFlags::SAMPLED);
        let recorded = |limit: Limit| {
            let asked = (0..100).filter(|_| dropped_by(&limit, &sampled).is_none());
            asked.count()
        };
        assert_eq!(recorded(per_second(2)), 2);
        assert_eq!(recorded(Limit::Part(0.0, AtMost::new(3))), 3);
        assert_eq!(recorded(Limit::Part(1.0, AtMost::new(0))), 100);
        let place = dropped_by(&per_second(0), &sampled).expect("dropped");
        let place = place.span().span_context().clone();
        assert_eq!(place.trace_id(), TraceId::from(1), "its trace goes on");
        assert!(!place.is_sampled());
    }

    #[test]
    fn a_caller_that_does_not_record_its_trace_is_followed() {
        let limit = per_second(5);
        let place = dropped_by(&limit, &remote(TraceFlags::default())).expect("dropped");
        let place = place.span().span_context().clone();
        assert_eq!(place.trace_id(), TraceId::from(1));
        assert_ne!(place.span_id(), SpanId::from(1));
    }

    #[test]
    fn without_a_caller_the_limit_decides() {
        let limit = per_second(1);
        assert!(dropped_by(&limit, &Context::new()).is_none());
        let place = dropped_by(&limit, &Context::new()).expect("dropped");
        assert!(place.span().span_context().is_valid());
        assert!(!place.span().span_context().is_sampled());
    }

    #[test]
    fn in_a_dropped_place_only_what_is_kept_is_recorded() {
        let tracer = tracer();
        let place = dropped_by(&per_second(0), &Context::new()).expect("dropped");
        let trace = place.span().span_context().trace_id();
        let child = tracer.start_with_context("child", &place);
        assert!(!child.span_context().is_sampled());
        let kept = tracer
            .span_builder("failed")
            .with_attributes([KeyValue::new(KEPT, "failed")]);
        let kept = kept.start_with_context(&tracer, &place);
        assert!(kept.span_context().is_sampled());
        assert_eq!(kept.span_context().trace_id(), trace);
    }

    #[test]
    fn only_inside_a_dropped_place_something_is_dropped() {
        assert!(!is_dropped());
        let span = tracer().start_with_context("request", &Context::new());
        let recorded = Context::new().with_span(span).attach();
        assert!(!is_dropped());
        drop(recorded);
        let place = dropped_by(&per_second(0), &Context::new()).expect("dropped");
        let _place = place.attach();
        assert!(is_dropped());
    }
}
