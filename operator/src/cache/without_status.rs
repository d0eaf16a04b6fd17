//! Events of objects whose status, which others write often, concerns nobody here.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures::{Stream, StreamExt, future};
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt};
use serde::Serialize;

/// The objects of `events` that are new, gone, or changed in more than their version. The status must
/// have been taken out of them before.
pub fn without_status<K>(
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
) -> impl Stream<Item = watcher::Result<K>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Serialize + Send,
{
    let mut known = HashMap::new();
    events.filter_map(move |event| {
        let object = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => {
                let print = fingerprint(&object);
                let before = known.insert(object.uid(), print);
                (before != Some(print)).then_some(Ok(object))
            }
            Ok(Event::Delete(object)) => {
                known.remove(&object.uid());
                Some(Ok(object))
            }
            Ok(Event::Init) => {
                known.clear();
                None
            }
            Ok(Event::InitDone) => None,
            Err(error) => Some(Err(error)),
        };
        future::ready(object)
    })
}

fn fingerprint<K: Resource + Clone + Serialize>(object: &K) -> u64 {
    let mut object = object.clone();
    object.meta_mut().resource_version = None;
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(&object)
        .expect("Kubernetes objects serialize")
        .hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn object(version: &str, value: &str) -> ConfigMap {
        let mut object = ConfigMap {
            data: Some([("key".to_owned(), value.to_owned())].into()),
            ..ConfigMap::default()
        };
        object.metadata.uid = Some("u".into());
        object.metadata.resource_version = Some(version.into());
        object
    }

    #[tokio::test]
    async fn only_what_is_new_changed_or_gone_passes() {
        let events = [
            Event::Init,
            Event::InitApply(object("1", "a")),
            Event::InitDone,
            Event::Apply(object("2", "a")),
            Event::Apply(object("3", "b")),
            Event::Delete(object("4", "b")),
            Event::Apply(object("5", "b")),
        ];
        let passed = without_status(stream::iter(events.map(Ok)));
        let versions: Vec<_> = passed
            .map(|object| object.expect("an object").resource_version())
            .collect()
            .await;
        let versions: Vec<_> = versions.iter().flatten().collect();
        assert_eq!(versions, ["1", "3", "4", "5"]);
    }
}
