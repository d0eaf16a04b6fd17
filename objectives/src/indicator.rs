//! What makes a request a good one.

/// Thresholds that the API's histogram of durations can tell, in milliseconds: its bounds, from where
/// a network is no longer most of an answer.
pub const THRESHOLDS: [u32; 12] = [5, 10, 25, 50, 100, 200, 300, 500, 1000, 2500, 5000, 10_000];

/// What makes a request a good one. Only clients' requests count, not probes, and only those that
/// were answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicator {
    /// It is answered, with anything but a 5xx.
    Availability,
    /// Of those that are good by [`Availability`](Self::Availability), it is answered in time; an
    /// outage is not counted twice.
    Latency {
        /// Milliseconds, one of [`THRESHOLDS`].
        threshold: u32,
    },
}

impl Indicator {
    /// The `le` label of the bucket that ends at `threshold` milliseconds: seconds, as Prometheus
    /// clients write them.
    pub(crate) fn bound(threshold: u32) -> String {
        (f64::from(threshold) / 1000.0).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_written_as_the_histogram_writes_it() {
        let bounds = [5, 300, 1000, 2500, 10_000].map(Indicator::bound);
        assert_eq!(bounds, ["0.005", "0.3", "1", "2.5", "10"]);
    }
}
