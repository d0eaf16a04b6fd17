//! Acts on Kubernetes: server-side apply of what differs, and of nothing else.

mod difference;

use std::fmt::{self, Debug};
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument, info_span};

use crate::build::{Children, Secrets};
use crate::conditions::ConditionType;
use crate::context::{Context, FIELD_MANAGER};
use crate::error::{Error, Problem, Result};
use crate::wanted::Wanted;

/// Something that a reconcile changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    verb: &'static str,
    what: String,
}

impl Change {
    pub(super) fn new(verb: &'static str, what: String) -> Self {
        Self { verb, what }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.what)
    }
}

pub(super) async fn secrets(
    wanted: &Wanted,
    secrets: Secrets,
    ctx: &Context,
) -> Result<Vec<Change>> {
    let Secrets {
        credentials,
        api_keys,
    } = secrets;
    let apply = Apply { wanted, ctx };
    let store = &ctx.stores.secrets;
    let changes = [
        apply.one(store, credentials).await?.0,
        apply.one(store, api_keys).await?.0,
    ];
    Ok(changes.into_iter().flatten().collect())
}

/// Applies all other children; returns what changed, and the Deployment as it is now.
pub(super) async fn children(
    wanted: &Wanted,
    children: Children,
    ctx: &Context,
) -> Result<(Vec<Change>, Arc<Deployment>)> {
    let Children {
        api_config,
        collector_config,
        service_account,
        service,
        network_policy,
        pod_disruption_budget,
        deployment,
    } = children;
    let apply = Apply { wanted, ctx };
    let stores = &ctx.stores;
    let (config, collector, account, service, policy, budget) = tokio::try_join!(
        apply.one(&stores.secrets, api_config),
        apply.one(&stores.config_maps, collector_config),
        apply.one(&stores.service_accounts, service_account),
        apply.one(&stores.services, service),
        apply.one(&stores.network_policies, network_policy),
        apply.one(&stores.disruption_budgets, pod_disruption_budget),
    )?;
    // Last: pods need all of the others at their start.
    let (last, deployment) = apply.one(&stores.deployments, deployment).await?;
    let changes = [
        config.0,
        collector.0,
        account.0,
        service.0,
        policy.0,
        budget.0,
        last,
    ];
    Ok((changes.into_iter().flatten().collect(), deployment))
}

/// Whether the tenant `uid` owns `object`.
pub(super) fn belongs_to<K: Resource>(object: &K, uid: &str) -> bool {
    let owners = object.owner_references();
    owners.iter().any(|owner| owner.uid == uid)
}

struct Apply<'a> {
    wanted: &'a Wanted,
    ctx: &'a Context,
}

impl Apply<'_> {
    /// Applies `child` where it differs from what is there, and returns it as it is now; what is
    /// there and is not ours is refused.
    async fn one<K>(&self, store: &Store<K>, child: K) -> Result<(Option<Change>, Arc<K>)>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Serialize
            + 'static,
    {
        let kind = K::kind(&());
        let name = child.name_any();
        let span = info_span!(
            "apply_child",
            otel.name = format!("apply {kind}"),
            k8s.object.name = name
        );
        async {
            let api: Api<K> = Api::namespaced(self.ctx.client.clone(), &self.wanted.namespace);
            let child = difference::with_hash(child);
            // The stores hold only what carries our label: look again before taking anything over.
            let live = match store.get(&ObjectRef::new(&name).within(&self.wanted.namespace)) {
                Some(live) => Some(live),
                None => api.get_opt(&name).await?.map(Arc::new),
            };
            let verb = match live {
                None => "created",
                Some(live) => {
                    self.refuse_foreign(&*live)?;
                    if difference::is_so(&child, &*live) {
                        return Ok((None, live));
                    }
                    "updated"
                }
            };
            let params = PatchParams::apply(FIELD_MANAGER).force();
            self.ctx.metrics.wrote(&kind, "apply");
            let live = api.patch(&name, &params, &Patch::Apply(&child)).await?;
            Ok((
                Some(Change::new(verb, format!("{kind}/{name}"))),
                Arc::new(live),
            ))
        }
        .instrument(span)
        .await
    }

    fn refuse_foreign<K: Resource<DynamicType = ()>>(&self, live: &K) -> Result<()> {
        if belongs_to(live, &self.wanted.uid) {
            return Ok(());
        }
        let kind = K::kind(&());
        // An owner that is gone takes its objects along shortly: then the name is free.
        let error = if live
            .owner_references()
            .iter()
            .any(|owner| owner.kind == "DocumentTenant")
        {
            Error::Transient
        } else {
            Error::Permanent
        };
        Err(error(Problem::new(
            ConditionType::ApiAvailable,
            "NameTaken",
            format!(
                "{kind} {} exists and does not belong to this tenant; delete or rename it, or give the tenant another name.",
                live.name_any()
            ),
        )))
    }
}
