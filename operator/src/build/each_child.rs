//! The one list of a tenant's children: whoever applies, plans or takes away goes through it.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use super::{Children, Secrets};
use crate::cache::child::Child;
use crate::error::Result;

/// What is done with each child.
pub(crate) trait EachChild: Sync {
    /// What comes of it.
    type Outcome: Send;

    /// Deals with `child`; with `None`, with a kind of which the tenant should have no object.
    fn child<K: Child>(
        &self,
        child: Option<K>,
    ) -> impl Future<Output = Result<Option<Self::Outcome>>> + Send;
}

impl Secrets {
    /// Deals with each, in the order in which they are applied; ends with the first error.
    pub(crate) async fn each<E: EachChild>(self, each: &E) -> Result<Vec<E::Outcome>> {
        let Self {
            credentials,
            api_keys,
            signing_keys,
        } = self;
        let outcomes = [
            each.child(Some(credentials)).await?,
            each.child(Some(api_keys)).await?,
            // Those of a tenant that issues tokens no more stay: nobody else is given them.
            match signing_keys {
                Some(keys) => each.child(Some(keys)).await?,
                None => None,
            },
        ];
        Ok(outcomes.into_iter().flatten().collect())
    }
}

impl Children {
    /// Deals with each, in the order in which they are applied; ends with the first error.
    pub(crate) async fn each<E: EachChild>(self, each: &E) -> Result<Vec<E::Outcome>> {
        let Self {
            api_config,
            collector_config,
            service_account,
            service,
            network_policy,
            pod_disruption_budget,
            ingress,
            http_route,
            prometheus_rule,
            pod_monitor,
            deployment,
            horizontal_pod_autoscaler,
        } = self;
        let freed = match horizontal_pod_autoscaler {
            // Before the number of pods is ours again: it would change it back.
            None => each.child::<HorizontalPodAutoscaler>(None).await?,
            Some(_) => None,
        };
        let (config, collector, account, service, policy, budget, ingress, route, rule, monitor) =
            tokio::try_join!(
                each.child(Some(api_config)),
                each.child(Some(collector_config)),
                each.child(Some(service_account)),
                each.child(Some(service)),
                each.child(Some(network_policy)),
                each.child(Some(pod_disruption_budget)),
                each.child(ingress),
                each.child(http_route),
                each.child(prometheus_rule),
                each.child(pod_monitor),
            )?;
        // Last: pods need all of the others at their start.
        let deployment = each.child(Some(deployment)).await?;
        let scaled = match horizontal_pod_autoscaler {
            Some(scaler) => each.child(Some(scaler)).await?,
            None => None,
        };
        let outcomes = [
            freed, config, collector, account, service, policy, budget, ingress, route, rule,
            monitor, deployment, scaled,
        ];
        Ok(outcomes.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use docket_crds::{Autoscaling, HttpRoute, Ingress};
    use serde_json::json;

    use super::*;
    use crate::build;
    use crate::cache::caches::{Caches, EachKind};
    use crate::cache::object_cache::ObjectCache;
    use crate::validated_tenant::ValidatedTenant;
    use crate::validated_tenant::example::acme;

    /// Says of each kind whether there is a child of it.
    #[derive(Default)]
    struct Named(Mutex<Vec<(String, bool)>>);

    impl EachChild for Named {
        type Outcome = ();

        async fn child<K: Child>(&self, child: Option<K>) -> Result<Option<()>> {
            let named = (K::kind(&()).into_owned(), child.is_some());
            self.0.lock().expect("no panic").push(named);
            Ok(None)
        }
    }

    async fn named(wanted: &ValidatedTenant) -> Vec<(String, bool)> {
        let each = Named::default();
        let secrets = build::secrets(wanted).each(&each).await;
        secrets.expect("no failure");
        let children = build::children(wanted).each(&each).await;
        children.expect("no failure");
        each.0.into_inner().expect("no panic")
    }

    /// A tenant that asks for every kind of child.
    fn with_all() -> ValidatedTenant {
        let mut wanted = acme();
        wanted.autoscaling = Some(Autoscaling {
            min_replicas: 1,
            ..serde_json::from_value(json!({"maxReplicas": 2})).expect("an autoscaler")
        });
        let ingress: Ingress = serde_json::from_value(json!({"host": "h"})).expect("an Ingress");
        let route: HttpRoute =
            serde_json::from_value(json!({"parentRefs": [{"name": "g"}]})).expect("an HTTPRoute");
        wanted.ingress = Some(ingress);
        wanted.http_route = Some(route);
        wanted.monitoring.prometheus_rules = true;
        wanted.monitoring.pod_monitors = true;
        wanted
    }

    #[tokio::test]
    async fn every_kind_that_is_watched_is_applied_or_taken_away_and_no_other() {
        #[derive(Default)]
        struct Kinds(BTreeSet<String>);
        impl EachKind for Kinds {
            fn kind<K: Child>(mut self, _: &ObjectCache<K>) -> Self {
                self.0.insert(K::kind(&()).into_owned());
                self
            }
        }
        let watched = Caches::default().each_kind(Kinds::default());
        for wanted in [acme(), with_all()] {
            let kinds = named(&wanted).await.into_iter().map(|(kind, _)| kind);
            assert_eq!(kinds.collect::<BTreeSet<_>>(), watched.0);
        }
        assert!(named(&with_all()).await.iter().all(|(_, there)| *there));
    }

    #[tokio::test]
    async fn an_autoscaler_goes_before_the_number_of_pods_is_said_and_comes_after_them() {
        let place = |all: &[(String, bool)], kind: &str| {
            let found = all.iter().position(|(named, _)| named == kind);
            found.unwrap_or_else(|| panic!("no {kind}"))
        };
        let (without, with) = (named(&acme()).await, named(&with_all()).await);
        let [before, after] = [&without, &with]
            .map(|all| place(all, "HorizontalPodAutoscaler") < place(all, "Deployment"));
        assert!(before && !after);
    }
}
