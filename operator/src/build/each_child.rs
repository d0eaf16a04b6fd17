//! The one list of a tenant's children: whoever applies, plans or takes away goes through it.

use futures::future::try_join_all;
use kube::ResourceExt;

use super::{Children, ComponentChildren, Secrets};
use crate::cache::child::Child;
use crate::error::Result;

/// What is done with each child.
pub(crate) trait EachChild: Sync {
    /// What comes of it.
    type Outcome: Send;

    /// Deals with `child`.
    fn child<K: Child>(
        &self,
        child: DesiredChild<K>,
    ) -> impl Future<Output = Result<Option<Self::Outcome>>> + Send;
}

/// An object of a kind that an owner should have, or should not.
pub(crate) struct DesiredChild<K> {
    /// `metadata.name`.
    pub name: String,
    /// The object as it should be; none where there should be none of this name.
    pub object: Option<K>,
    /// Number of pods that it begins with, where the object leaves that to others.
    pub first_replicas: i32,
}

impl<K: Child> DesiredChild<K> {
    /// One that should be there.
    pub(crate) fn of(object: K) -> Self {
        Self::named(&object.name_any(), Some(object))
    }

    fn named(name: &str, object: Option<K>) -> Self {
        Self {
            name: name.to_owned(),
            object,
            first_replicas: 0,
        }
    }
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
            each.child(DesiredChild::of(credentials)).await?,
            each.child(DesiredChild::of(api_keys)).await?,
            // Those of a tenant that issues tokens no more stay: nobody else is given them.
            match signing_keys {
                Some(keys) => each.child(DesiredChild::of(keys)).await?,
                None => None,
            },
        ];
        Ok(outcomes.into_iter().flatten().collect())
    }
}

impl Children {
    /// Deals with each, in the order in which they are applied; ends with the first error.
    pub(crate) async fn each<E: EachChild>(mut self, each: &E) -> Result<Vec<E::Outcome>> {
        let mut outcomes = Vec::new();
        let (scaled, unscaled): (Vec<_>, Vec<_>) = self
            .components
            .iter_mut()
            .map(|it| DesiredChild::named(&it.name, it.horizontal_pod_autoscaler.take()))
            .partition(|it| it.object.is_some());
        for scaler in unscaled {
            // Before the number of pods is ours again: it would change it back.
            outcomes.push(each.child(scaler).await?);
        }
        let monitors = self.components.iter_mut();
        let monitors = monitors.map(|it| DesiredChild::named(&it.name, it.pod_monitor.take()));
        let monitors: Vec<_> = monitors.collect();
        let name = self.service_account.name_any();
        let (config, collector, account, access, ingress, route, rule, monitors) = tokio::try_join!(
            each.child(DesiredChild::of(self.config)),
            each.child(DesiredChild::of(self.collector_config)),
            each.child(DesiredChild::of(self.service_account)),
            try_join_all(self.components.iter_mut().map(|it| access(it, each))),
            async {
                match self.leaves_ingress {
                    true => Ok(None),
                    false => each.child(DesiredChild::named(&name, self.ingress)).await,
                }
            },
            each.child(DesiredChild::named(&name, self.http_route)),
            each.child(DesiredChild::named(&name, self.prometheus_rule)),
            try_join_all(monitors.into_iter().map(|it| each.child(it))),
        )?;
        outcomes.extend([config, collector, account]);
        outcomes.extend(access.into_iter().flatten());
        outcomes.extend([ingress, route, rule]);
        outcomes.extend(monitors);
        // Last: pods need all of the others at their start.
        for component in self.components {
            let deployment = DesiredChild {
                first_replicas: component.first_replicas,
                ..DesiredChild::named(&component.name, component.deployment)
            };
            outcomes.push(each.child(deployment).await?);
        }
        for scaler in scaled {
            outcomes.push(each.child(scaler).await?);
        }
        Ok(outcomes.into_iter().flatten().collect())
    }
}

/// What leads to the pods of a component, and keeps some of them.
async fn access<E: EachChild>(
    component: &mut ComponentChildren,
    each: &E,
) -> Result<[Option<E::Outcome>; 3]> {
    let name = &component.name;
    let (service, policy, budget) = tokio::try_join!(
        each.child(DesiredChild::named(name, component.service.take())),
        each.child(DesiredChild::named(name, component.network_policy.take())),
        each.child(DesiredChild::named(
            name,
            component.pod_disruption_budget.take()
        )),
    )?;
    Ok([service, policy, budget])
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Mutex;

    use docket_crds::{Autoscaling, HttpRoute, Ingress};
    use k8s_openapi::api::apps::v1::Deployment;
    use serde::Deserialize as _;
    use serde_json::{Value, json};

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

        async fn child<K: Child>(&self, child: DesiredChild<K>) -> Result<Option<()>> {
            let named = (K::kind(&()).into_owned(), child.object.is_some());
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

    /// What the chart lets the operator do in all namespaces, and in one.
    const RIGHTS: [&str; 2] = [
        include_str!("../../../charts/docket/golden/rbac.yaml"),
        include_str!("../../../charts/docket/golden/rbac-of-one-namespace.yaml"),
    ];

    type Resource = (String, String);

    fn resource<K: Child>() -> Resource {
        (K::group(&()).into_owned(), K::plural(&()).into_owned())
    }

    /// Verbs for what tenants are made of, by group and resource: the chart's first role.
    fn verbs(rights: &str) -> BTreeMap<Resource, BTreeSet<String>> {
        let first = serde_yaml::Deserializer::from_str(rights).next();
        let role = Value::deserialize(first.expect("a document")).expect("YAML");
        let list = |value: &Value| -> Vec<String> {
            serde_json::from_value(value.clone()).expect("a list")
        };
        let mut verbs: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for rule in role["rules"].as_array().expect("rules") {
            for group in list(&rule["apiGroups"]) {
                for resource in list(&rule["resources"]) {
                    let verbs = verbs.entry((group.clone(), resource)).or_default();
                    verbs.extend(list(&rule["verbs"]));
                }
            }
        }
        verbs
    }

    /// The kinds of which a tenant may have no object, so that one from before is to be deleted.
    async fn may_go(wanted: &ValidatedTenant) -> BTreeSet<Resource> {
        #[derive(Default)]
        struct Absent(Mutex<BTreeSet<Resource>>);
        impl EachChild for Absent {
            type Outcome = ();

            async fn child<K: Child>(&self, child: DesiredChild<K>) -> Result<Option<()>> {
                if child.object.is_none() {
                    self.0.lock().expect("no panic").insert(resource::<K>());
                }
                Ok(None)
            }
        }
        let each = Absent::default();
        let children = build::children(wanted).each(&each).await;
        children.expect("no failure");
        each.0.into_inner().expect("no panic")
    }

    #[tokio::test]
    async fn the_chart_lets_the_operator_delete_the_kinds_that_may_go_and_no_others() {
        #[derive(Default)]
        struct Resources(BTreeSet<Resource>);
        impl EachKind for Resources {
            fn kind<K: Child>(mut self, _: &ObjectCache<K>) -> Self {
                self.0.insert(resource::<K>());
                self
            }
        }
        let watched = Caches::default().each_kind(Resources::default()).0;
        let mut goes = may_go(&acme()).await;
        // A deleted tenant's pods go before its data.
        goes.insert(resource::<Deployment>());
        for rights in RIGHTS {
            let verbs = verbs(rights);
            for kind in &watched {
                let always = ["get", "list", "watch", "create", "patch"];
                let sometimes = goes.contains(kind).then_some("delete");
                let needed = always.into_iter().chain(sometimes).map(str::to_owned);
                let needed: BTreeSet<String> = needed.collect();
                assert_eq!(verbs.get(kind), Some(&needed), "{kind:?} in {rights}");
            }
        }
    }
}
