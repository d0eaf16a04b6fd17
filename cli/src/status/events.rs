//! Events in the order in which they happened.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

use crate::columns::columns;
use crate::since::between;

/// Events that a page shows, the last ones.
const MOST: usize = 20;

pub(super) fn events(events: &[Event], now: Timestamp) -> String {
    let mut timed: Vec<(Timestamp, &Event)> = events
        .iter()
        .filter_map(|event| Some((when(event)?, event)))
        .collect();
    timed.sort_by_key(|(when, _)| *when);
    let rows: Vec<[String; 4]> = timed
        .iter()
        .skip(timed.len().saturating_sub(MOST))
        .map(|(when, event)| {
            let type_ = event.type_.clone().unwrap_or_default();
            let reason = event.reason.clone().unwrap_or_default();
            let message = event.message.clone().unwrap_or_default();
            [
                format!("{} ago", between(*when, now)),
                type_,
                reason,
                message,
            ]
        })
        .collect();
    columns("  ", &rows)
}

/// When it happened last; which field tells depends on who wrote it.
fn when(event: &Event) -> Option<Timestamp> {
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref());
    let micro = series.or(event.event_time.as_ref()).map(|time| time.0);
    let second = event
        .last_timestamp
        .as_ref()
        .or(event.first_timestamp.as_ref());
    let second = second.or(event.metadata.creation_timestamp.as_ref());
    micro.or(second.map(|time| time.0))
}
