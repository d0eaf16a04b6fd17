//! What was handed to the collector, and what was lost because it did not take it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// Counts of one signal; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    exported: AtomicU64,
    queue_full: AtomicU64,
    export_failed: AtomicU64,
}

impl Losses {
    /// The queue held all that it may.
    pub(crate) fn queue_full(&self) {
        self.0.queue_full.fetch_add(1, Ordering::Relaxed);
    }

    /// The collector took `items`, or did not.
    pub(crate) fn export(&self, items: usize, taken: bool) {
        let count = match taken {
            true => &self.0.exported,
            false => &self.0.export_failed,
        };
        count.fetch_add(items as u64, Ordering::Relaxed);
    }

    /// Exported, dropped for a full queue, dropped by a failed export.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let [exported, queue_full, export_failed] =
            [&self.0.exported, &self.0.queue_full, &self.0.export_failed]
                .map(|count| count.load(Ordering::Relaxed));
        (exported, queue_full, export_failed)
    }
}

/// Makes `telemetry_exported_total` and `telemetry_dropped_total` of the three signals.
pub(crate) fn observe(meter: &Meter, signals: [(&'static str, Losses); 3]) {
    let dropped = signals.clone();
    meter
        .u64_observable_counter("telemetry_exported_total")
        .with_description("Spans, log records and metric exports that the collector took")
        .with_callback(move |counter| {
            for (signal, losses) in &signals {
                let exported = losses.0.exported.load(Ordering::Relaxed);
                counter.observe(exported, &[KeyValue::new("signal", *signal)]);
            }
        })
        .build();
    meter
        .u64_observable_counter("telemetry_dropped_total")
        .with_description("Spans, log records and metric exports that were lost")
        .with_callback(move |counter| {
            for (signal, losses) in &dropped {
                for (reason, count) in [
                    ("queue_full", &losses.0.queue_full),
                    ("export_failed", &losses.0.export_failed),
                ] {
                    let labels = [
                        KeyValue::new("signal", *signal),
                        KeyValue::new("reason", reason),
                    ];
                    counter.observe(count.load(Ordering::Relaxed), &labels);
                }
            }
        })
        .build();
}
