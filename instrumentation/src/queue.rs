//! How much telemetry waits for the collector: bounded, whatever the collector does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::losses::Losses;

/// Spans, or log records, that wait; one more is dropped.
pub(crate) const LONGEST: usize = 4096;

/// The length of a queue that the SDK keeps; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    waiting: Arc<AtomicUsize>,
    pub(crate) losses: Losses,
}

impl Queue {
    /// Whether there is room for one more; counts it as dropped if not.
    pub(crate) fn enter(&self) -> bool {
        let fits = self.waiting.fetch_add(1, Ordering::Relaxed) < LONGEST;
        if !fits {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.losses.queue_full();
        }
        fits
    }

    /// `items` left the queue for the exporter.
    pub(crate) fn leave(&self, items: usize) {
        self.waiting.fetch_sub(items, Ordering::Relaxed);
    }
}
