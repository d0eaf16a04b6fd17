//! `gen_ai_client_operation_duration_seconds`, `gen_ai_client_token_usage`: OpenTelemetry's metrics of
//! generative AI. The model is the tenant's own, and there is one.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;

/// Seconds and tokens, as the conventions advise.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const TOKENS: [f64; 9] = [
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0,
];

#[derive(Debug)]
pub(super) struct Metrics {
    duration: Histogram<f64>,
    tokens: Histogram<u64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = opentelemetry::global::meter("docket");
        Self {
            duration: meter
                .f64_histogram("gen_ai_client_operation_duration_seconds")
                .with_unit("s")
                .with_description("Time that a language model took for a summary")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            tokens: meter
                .u64_histogram("gen_ai_client_token_usage")
                .with_description("Tokens that summaries cost")
                .with_boundaries(TOKENS.to_vec())
                .build(),
        }
    }

    pub(super) fn took(&self, model: &str, failure: Option<&'static str>, took: Duration) {
        let mut labels = labels(model);
        labels.extend(failure.map(|failure| KeyValue::new("error_type", failure)));
        self.duration.record(took.as_secs_f64(), &labels);
    }

    pub(super) fn used(&self, model: &str, kind: &'static str, tokens: u64) {
        let mut labels = labels(model);
        labels.push(KeyValue::new("gen_ai_token_type", kind));
        self.tokens.record(tokens, &labels);
    }
}

fn labels(model: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("gen_ai_operation_name", "chat"),
        KeyValue::new("gen_ai_request_model", model.to_owned()),
    ]
}
