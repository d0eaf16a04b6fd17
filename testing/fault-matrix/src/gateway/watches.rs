//! Watches, and what can happen to them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use futures::StreamExt as _;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::{Body, Error, respond};

/// What happens to the watches of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Events wait, in their order.
    Freeze,
    /// Events wait, and of those about one object only the last one comes.
    Coalesce,
    /// The connection ends in the middle of the next event.
    Cut,
    /// The next event is `410 Gone`.
    Gone,
}

/// Every watch of one operator.
#[derive(Debug)]
pub(super) struct Watches {
    disturbances: watch::Sender<BTreeMap<String, Disturbance>>,
    /// Ended with the proxy.
    relays: Mutex<JoinSet<()>>,
}

impl Default for Watches {
    fn default() -> Self {
        Self {
            disturbances: watch::Sender::new(BTreeMap::new()),
            relays: Mutex::default(),
        }
    }
}

impl Watches {
    pub fn disturb(&self, resource: &str, disturbance: Option<Disturbance>) {
        self.disturbances.send_modify(|all| {
            match disturbance {
                Some(disturbance) => all.insert(resource.to_owned(), disturbance),
                None => all.remove(resource),
            };
        });
    }

    /// The answer to a watch of `resource`, disturbed as is asked for while it lasts.
    pub fn relay(&self, resource: String, response: reqwest::Response) -> Response<Body> {
        let (status, headers) = (response.status(), response.headers().clone());
        let (send, mut receive) = mpsc::channel(1);
        let disturbances = self.disturbances.subscribe();
        let mut relays = self.relays.lock().expect("no holder of this lock panics");
        relays.spawn(relay(resource, disturbances, response, send));
        let chunks = futures::stream::poll_fn(move |context| receive.poll_recv(context));
        respond(status, &headers, BodyExt::boxed(StreamBody::new(chunks)))
    }
}

type Chunk = Result<Frame<Bytes>, Error>;

async fn relay(
    resource: String,
    mut disturbances: watch::Receiver<BTreeMap<String, Disturbance>>,
    response: reqwest::Response,
    send: mpsc::Sender<Chunk>,
) {
    let mut upstream = response.bytes_stream();
    let mut waiting: Vec<u8> = Vec::new();
    loop {
        let disturbance = disturbances.borrow_and_update().get(&resource).copied();
        let waits = matches!(
            disturbance,
            Some(Disturbance::Freeze | Disturbance::Coalesce)
        );
        if !waits && !waiting.is_empty() {
            let chunk = Bytes::from(std::mem::take(&mut waiting));
            if send.send(Ok(Frame::data(chunk))).await.is_err() {
                return;
            }
        }
        if disturbance == Some(Disturbance::Gone) {
            let gone = json!({"type": "ERROR", "object": {
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "too old resource version, on purpose", "reason": "Expired", "code": 410,
            }});
            // Whoever does not listen any more has nothing to lose.
            let _ = send.send(Ok(Frame::data(format!("{gone}\n").into()))).await;
            return;
        }
        let chunk = tokio::select! {
            chunk = upstream.next() => chunk,
            changed = disturbances.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = send.closed() => return,
        };
        let Some(Ok(chunk)) = chunk else {
            return;
        };
        let sent = match disturbance {
            Some(Disturbance::Freeze) => {
                waiting.extend_from_slice(&chunk);
                Ok(())
            }
            Some(Disturbance::Coalesce) => {
                waiting.extend_from_slice(&chunk);
                waiting = coalesced(&waiting);
                Ok(())
            }
            Some(Disturbance::Cut) => {
                let half = chunk.slice(..chunk.len() / 2);
                let _ = send.send(Ok(Frame::data(half))).await;
                let _ = send.send(Err("cut in mid chunk".into())).await;
                return;
            }
            Some(Disturbance::Gone) | None => send.send(Ok(Frame::data(chunk))).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Of the events about one object, the last; an event that is not whole yet stays as it is.
fn coalesced(events: &[u8]) -> Vec<u8> {
    let whole = events.iter().rposition(|byte| *byte == b'\n');
    let (whole, rest) = events.split_at(whole.map_or(0, |at| at + 1));
    let mut kept: Vec<(Value, &[u8])> = Vec::new();
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        let event: Value = serde_json::from_slice(line).unwrap_or_default();
        let uid = event["object"]["metadata"]["uid"].clone();
        kept.retain(|(other, _)| *other != uid || uid.is_null());
        kept.push((uid, line));
    }
    let kept = kept.into_iter().flat_map(|(_, line)| line).copied();
    kept.chain(rest.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_events_about_an_object_the_last_is_kept_and_half_an_event_is_left_alone() {
        let event = |uid: &str, n: u8| {
            format!(
                "{}\n",
                json!({"n": n, "object": {"metadata": {"uid": uid}}})
            )
        };
        let all = [event("a", 1), event("b", 2), event("a", 3), "{\"n\"".into()].concat();
        let kept = [event("b", 2), event("a", 3), "{\"n\"".into()].concat();
        assert_eq!(coalesced(all.as_bytes()), kept.as_bytes());
    }
}
