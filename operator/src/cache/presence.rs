//! Whether the cluster has a kind that is no part of Kubernetes: it may come and go while the operator runs.

use std::time::Duration;

use futures::{Stream, StreamExt, future, stream};
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource};
use tokio::sync::watch;

/// Between two questions, while it is not there.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// What is known of it.
#[derive(Clone, Debug)]
pub struct Presence(watch::Sender<Option<bool>>);

impl Presence {
    /// Nothing is known yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self(watch::Sender::new(None))
    }

    /// It is there, or not, for good.
    #[must_use]
    pub fn settled(there: bool) -> Self {
        Self(watch::Sender::new(Some(there)))
    }

    fn tell(&self, there: bool) {
        self.0
            .send_if_modified(|told| told.replace(there) != Some(there));
    }

    /// Whether it is there, as far as is known.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.borrow().unwrap_or_default()
    }

    /// Whether it is there, once that is known.
    pub async fn known(&self) -> bool {
        let mut told = self.0.subscribe();
        // The sender is ours: it does not go before we do.
        let known = told.wait_for(Option::is_some).await;
        known.is_ok_and(|known| known.unwrap_or_default())
    }

    /// Each time when it comes or goes.
    pub fn changes(&self) -> impl Stream<Item = ()> + Send + use<> {
        let mut told = self.0.subscribe();
        let first = async move {
            // What is learned first is no change.
            let _ = told.wait_for(Option::is_some).await;
            told
        };
        stream::once(first).flat_map(|told| {
            stream::unfold(told, |mut told| async {
                told.changed().await.ok()?;
                Some(((), told))
            })
        })
    }
}

/// What `watch` brings while the cluster serves the kind `K`, and nothing while it does not; whether it
/// does is asked each `interval` then, and told to `presence`.
pub fn while_there<K, S>(
    client: Client,
    interval: Duration,
    presence: Presence,
    watch: impl Fn() -> S + Send + 'static,
) -> impl Stream<Item = S::Item> + Send
where
    S: Stream<Item = watcher::Result<Event<K>>> + Send,
    K: Resource<DynamicType = ()> + Send,
{
    stream::iter(0_u64..)
        .then(move |round| {
            let (client, presence) = (client.clone(), presence.clone());
            async move {
                if round > 0 {
                    tokio::time::sleep(interval).await;
                }
                until_there::<K>(&client, interval, &presence).await;
            }
        })
        .flat_map(move |()| watch().take_while(|event| future::ready(!is_gone(event))))
}

/// The answer is no `Status`, so that it has no reason that could be asked for.
fn is_gone<K>(event: &watcher::Result<Event<K>>) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    matches!(
        event,
        Err(InitialListFailed(kube::Error::Api(status)) | WatchStartFailed(kube::Error::Api(status)))
            if status.code == 404
    )
}

async fn until_there<K: Resource<DynamicType = ()>>(
    client: &Client,
    interval: Duration,
    presence: &Presence,
) {
    loop {
        let there = is_served::<K>(client).await;
        if let Some(there) = there {
            presence.tell(there);
        }
        if there == Some(true) {
            return;
        }
        tokio::time::sleep(interval).await;
    }
}

/// Whether `K` is served; `None` where the answer says nothing of it.
async fn is_served<K: Resource<DynamicType = ()>>(client: &Client) -> Option<bool> {
    match client.list_api_group_resources(&K::api_version(&())).await {
        Ok(list) => Some(
            list.resources
                .iter()
                .any(|kind| kind.name == K::plural(&())),
        ),
        Err(kube::Error::Api(status)) if [403, 404].contains(&status.code) => Some(false),
        Err(error) => {
            tracing::warn!(%error, "whether the cluster has {} is not known", K::plural(&()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::gateway_api::HttpRoute;
    use http::{Request, Response, StatusCode};
    use kube::client::Body;
    use serde_json::json;
    use tokio::sync::mpsc;
    use tower::service_fn;

    /// An API server that has HTTPRoutes while `there` says so.
    fn cluster(there: watch::Receiver<bool>) -> Client {
        let service = service_fn(move |_: Request<Body>| {
            let there = *there.borrow();
            async move {
                let list = json!({"kind": "APIResourceList", "groupVersion": HttpRoute::api_version(&()), "resources":
                    [{"name": HttpRoute::plural(&()), "singularName": "", "namespaced": true, "kind": "HTTPRoute", "verbs": []}]});
                let (status, body) = match there {
                    true => (StatusCode::OK, list.to_string()),
                    false => (StatusCode::NOT_FOUND, "404 page not found".to_owned()),
                };
                let response = Response::builder().status(status);
                let response = response.body(Body::from(body.into_bytes()));
                Ok::<_, std::convert::Infallible>(response.expect("a response"))
            }
        });
        Client::new(service, "default")
    }

    fn not_found() -> watcher::Result<Event<HttpRoute>> {
        let status =
            kube::core::Status::failure("404 page not found", "Failed to parse error data");
        let status = status.with_code(404);
        Err(watcher::Error::WatchStartFailed(kube::Error::Api(
            status.boxed(),
        )))
    }

    /// What `future` comes to; nothing here takes long.
    async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
        let patience = Duration::from_secs(10);
        let outcome = tokio::time::timeout(patience, future).await;
        outcome.unwrap_or_else(|_| panic!("never so: {what}"))
    }

    #[tokio::test]
    async fn what_is_watched_begins_when_it_is_there_and_again_when_it_was_gone() {
        let (tell, there) = watch::channel(false);
        let round = || stream::iter([Ok(Event::Init), not_found(), Ok(Event::InitDone)]);
        let often = Duration::from_millis(5);
        let presence = Presence::unknown();
        let events = while_there(cluster(there), often, presence.clone(), round);
        let (send, mut received) = mpsc::unbounded_channel();
        let relay = tokio::spawn(events.for_each(move |event| {
            // Nobody listens any more when the test ends.
            let _ = send.send(matches!(event, Ok(Event::Init)));
            future::ready(())
        }));
        assert!(!soon("it is known", presence.known()).await);
        let mut changes = Box::pin(presence.changes());
        assert!(futures::poll!(changes.next()).is_pending());
        assert!(received.try_recv().is_err(), "there is nothing to watch");

        tell.send_replace(true);
        assert_eq!(soon("it comes", changes.next()).await, Some(()));
        assert!(presence.is_there());
        for _ in 0..2 {
            assert_eq!(soon("it is watched", received.recv()).await, Some(true));
        }

        tell.send_replace(false);
        assert_eq!(soon("it goes", changes.next()).await, Some(()));
        assert!(!presence.is_there());
        relay.abort();
    }
}
