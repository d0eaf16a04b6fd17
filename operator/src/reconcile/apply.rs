//! Acts on Kubernetes: creates what is missing, applies (server-side) what differs, and nothing else.

mod difference;
mod drift;
mod handover;
mod prune;
mod quantity;
mod takeover;

use std::fmt::{self, Debug};

use docket_crds::{DocumentTenant, PlannedAction, PlannedChange};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use tracing::{Instrument, info_span};

use self::difference::Place;
pub(super) use self::prune::take_away;
use crate::applying::applying;
use crate::build::{self, Children, Secrets};
use crate::child::Child;
use crate::conditions::ConditionType;
use crate::context::{Context, FIELD_MANAGER};
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::kept::Kept;
use crate::wanted::Wanted;

/// Places that a sentence names.
const MOST_PLACES: usize = 5;

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

/// Applies the Secrets with what was issued. Where nothing had been, as far as was seen, none is
/// changed that is there all the same.
pub(super) async fn secrets(
    tenant: &Identified<DocumentTenant>,
    wanted: &Wanted,
    secrets: Secrets,
    nothing_was_issued: bool,
    ctx: &Context,
) -> Result<Vec<Change>> {
    let Secrets {
        credentials,
        api_keys,
    } = secrets;
    let apply = Apply {
        tenant,
        wanted,
        creates_only: nothing_was_issued,
        ctx,
    };
    let store = &ctx.stores.secrets;
    let changes = [
        apply.one(store, credentials).await?.0,
        apply.one(store, api_keys).await?.0,
    ];
    Ok(changes.into_iter().flatten().collect())
}

/// Applies one Secret.
pub(super) async fn secret(
    tenant: &Identified<DocumentTenant>,
    wanted: &Wanted,
    secret: Secret,
    ctx: &Context,
) -> Result<Option<Change>> {
    let apply = Apply {
        tenant,
        wanted,
        creates_only: false,
        ctx,
    };
    Ok(apply.one(&ctx.stores.secrets, secret).await?.0)
}

/// Applies all other children; returns what changed, and the Deployment as it is now.
pub(super) async fn children(
    tenant: &Identified<DocumentTenant>,
    wanted: &Wanted,
    children: Children,
    ctx: &Context,
) -> Result<(Vec<Change>, Deployment)> {
    let Children {
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
    } = children;
    let apply = Apply {
        tenant,
        wanted,
        creates_only: false,
        ctx,
    };
    let stores = &ctx.stores;
    let freed = match horizontal_pod_autoscaler {
        // Before the number of pods is ours again: it would change it back.
        None => apply.prune(&stores.autoscalers).await?,
        Some(_) => None,
    };
    let (config, collector, account, service, policy, budget, ingress, route, rule, monitor) = tokio::try_join!(
        apply.one(&stores.secrets, api_config),
        apply.one(&stores.config_maps, collector_config),
        apply.one(&stores.service_accounts, service_account),
        apply.one(&stores.services, service),
        apply.one(&stores.network_policies, network_policy),
        apply.one(&stores.disruption_budgets, pod_disruption_budget),
        apply.one_or_none(&stores.ingresses, ingress),
        apply.one_or_none(&stores.http_routes, http_route),
        apply.one_or_none(&stores.prometheus_rules, prometheus_rule),
        apply.one_or_none(&stores.pod_monitors, pod_monitor),
    )?;
    // Last: pods need all of the others at their start.
    let (last, deployment) = apply.deployment(deployment).await?;
    let scaler = match horizontal_pod_autoscaler {
        Some(scaler) => apply.one(&stores.autoscalers, scaler).await?.0,
        None => None,
    };
    let changes = [
        freed,
        config.0,
        collector.0,
        account.0,
        service.0,
        policy.0,
        budget.0,
        ingress,
        route,
        rule,
        monitor,
        last,
        scaler,
    ];
    Ok((changes.into_iter().flatten().collect(), deployment))
}

/// Whether the tenant `uid` owns `object`.
pub(super) fn belongs_to<K: Resource>(object: &K, uid: &str) -> bool {
    let owners = object.owner_references();
    owners.iter().any(|owner| owner.uid == uid)
}

/// What would be changed of the children, in the order in which it would be.
pub(super) async fn plan(
    tenant: &Identified<DocumentTenant>,
    wanted: &Wanted,
    ctx: &Context,
) -> Result<Vec<PlannedChange>> {
    let (secrets, children) = (build::secrets(wanted), build::children(wanted));
    let apply = Apply {
        tenant,
        wanted,
        creates_only: false,
        ctx,
    };
    let stores = &ctx.stores;
    let planned = [
        apply.plan(&stores.secrets, secrets.credentials).await?,
        apply.plan(&stores.secrets, secrets.api_keys).await?,
        apply.plan(&stores.secrets, children.api_config).await?,
        apply
            .plan(&stores.config_maps, children.collector_config)
            .await?,
        apply
            .plan(&stores.service_accounts, children.service_account)
            .await?,
        apply.plan(&stores.services, children.service).await?,
        apply
            .plan(&stores.network_policies, children.network_policy)
            .await?,
        apply
            .plan(&stores.disruption_budgets, children.pod_disruption_budget)
            .await?,
        apply
            .plan_or_none(&stores.ingresses, children.ingress)
            .await?,
        apply
            .plan_or_none(&stores.http_routes, children.http_route)
            .await?,
        apply
            .plan_or_none(&stores.prometheus_rules, children.prometheus_rule)
            .await?,
        apply
            .plan_or_none(&stores.pod_monitors, children.pod_monitor)
            .await?,
        apply.plan(&stores.deployments, children.deployment).await?,
        apply
            .plan_or_none(&stores.autoscalers, children.horizontal_pod_autoscaler)
            .await?,
    ];
    Ok(planned.into_iter().flatten().collect())
}

/// Who changed what of a child. The stores do not know who it was: they keep no managed fields.
async fn drift_of<K: Child>(api: &Api<K>, name: &str, places: &[Place]) -> String {
    let live = api.get_metadata_opt(name).await.ok().flatten();
    let managers = live.and_then(|live| live.metadata.managed_fields);
    let who = drift::changed_by(managers.as_deref().unwrap_or_default(), places);
    format!(
        "{} changed {}/{name}: it {}, and is made again as the spec asks.",
        who.unwrap_or("Somebody"),
        K::kind(&()),
        differs_in(places),
    )
}

/// A sentence's part that names where an object differs.
fn differs_in(places: &[Place]) -> String {
    let named: Vec<String> = places
        .iter()
        .filter(|place| !place.is_applied_hash())
        .map(ToString::to_string)
        .collect();
    match named.len() {
        0 => "has fields that are no longer wanted".to_owned(),
        count if count > MOST_PLACES => format!(
            "differs in {} and {} more",
            named[..MOST_PLACES].join(", "),
            count - MOST_PLACES
        ),
        _ => format!("differs in {}", named.join(", ")),
    }
}

struct Apply<'a> {
    tenant: &'a Identified<DocumentTenant>,
    wanted: &'a Wanted,
    /// What is there already is not changed: that it is there comes as a surprise.
    creates_only: bool,
    ctx: &'a Context,
}

/// A child that is there.
struct Found<K> {
    live: K,
    /// Where it is not as it should be.
    places: Vec<Place>,
}

impl Apply<'_> {
    /// Applies `child` where it differs from what is there, and returns it as it is now; what is
    /// there and is not ours is refused.
    async fn one<K: Child>(&self, store: &Kept<K>, child: K) -> Result<(Option<Change>, K)> {
        self.one_that_begins(store, child, |_| ()).await
    }

    /// Where an autoscaler chooses how many pods there are, we say only how many there are at first.
    async fn deployment(&self, child: Deployment) -> Result<(Option<Change>, Deployment)> {
        let begin = |child: &mut Deployment| {
            if let Some(spec) = &mut child.spec {
                spec.replicas = Some(self.wanted.replicas);
            }
        };
        self.one_that_begins(&self.ctx.stores.deployments, child, begin)
            .await
    }

    /// The same; what is not there yet begins as `begin` makes it.
    async fn one_that_begins<K: Child>(
        &self,
        store: &Kept<K>,
        child: K,
        begin: impl Fn(&mut K),
    ) -> Result<(Option<Change>, K)> {
        let kind = K::kind(&());
        let name = child.name_any();
        let span = info_span!(
            "apply_child",
            otel.name = format!("apply {kind}"),
            k8s.object.name = name
        );
        // On the heap: there is one of these for each child, and a thread's stack is small.
        Box::pin(async {
            let api: Api<K> = Api::namespaced(self.ctx.client.clone(), &self.wanted.namespace);
            let mut child = difference::with_hash(child);
            let refused = match store.has(&self.wanted.namespace, &name) {
                true => None,
                false => match self.create(&api, &child, &begin).await {
                    Ok(live) => {
                        let change = Change::new("created", format!("{kind}/{name}"));
                        return Ok((Some(change), live));
                    }
                    Err(kube::Error::Api(refused))
                        if refused.is_already_exists() || refused.is_conflict() =>
                    {
                        Some(kube::Error::Api(refused))
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            let found = match (self.find(store, &api, &child).await?, refused) {
                (Some(found), _) if found.places.is_empty() => return Ok((None, found.live)),
                (Some(_), Some(refused)) if self.creates_only => return Err(refused.into()),
                (Some(found), _) => found,
                // It is gone again.
                (None, Some(refused)) => return Err(refused.into()),
                (None, None) => {
                    let live = self.create(&api, &child, &begin).await?;
                    let change = Change::new("created", format!("{kind}/{name}"));
                    return Ok((Some(change), live));
                }
            };
            // The same was applied before: somebody changed it since.
            let drift = difference::applied_hash(&found.live) == difference::applied_hash(&child);
            let drift = match drift {
                true => Some(drift_of(&api, &name, &found.places).await),
                false => None,
            };
            let mut live = found.live;
            if let Some(taken) = takeover::before(&live) {
                self.ctx.metrics.wrote(&kind, "patch");
                let params = PatchParams::default();
                live = api.patch(&name, &params, &Patch::Merge(taken)).await?;
            }
            if let Some(kept) = handover::before(&child, &live) {
                self.ctx.metrics.wrote(&kind, "apply");
                let params = PatchParams::apply(handover::KEEPER);
                api.patch(&name, &params, &Patch::Apply(kept)).await?;
            }
            // Makes the apply fail for an object that took its place meanwhile.
            child.meta_mut().uid = live.uid();
            let before = live.resource_version();
            let live = self.patch(&api, &child).await?;
            // What others added to our fields and the API server lets them keep is no change.
            let changed = before != live.resource_version();
            if let Some(note) = drift.filter(|_| changed) {
                self.ctx
                    .story
                    .tell(self.tenant, "DriftRepaired", note)
                    .await;
            }
            let change = changed.then(|| Change::new("updated", format!("{kind}/{name}")));
            Ok((change, live))
        })
        .instrument(span)
        .await
    }

    /// Creates a child that is not there; one that is there is refused, and stays as it is.
    async fn create<K: Child>(
        &self,
        api: &Api<K>,
        child: &K,
        begin: impl Fn(&mut K),
    ) -> kube::Result<K> {
        let mut child = child.clone();
        begin(&mut child);
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        self.ctx.metrics.wrote(&K::kind(&()), "create");
        api.create(&params, &child).await
    }

    async fn patch<K: Child>(&self, api: &Api<K>, child: &K) -> kube::Result<K> {
        let params = applying(FIELD_MANAGER);
        self.ctx.metrics.wrote(&K::kind(&()), "apply");
        api.patch(&child.name_any(), &params, &Patch::Apply(child))
            .await
    }

    async fn plan<K: Child>(&self, store: &Kept<K>, child: K) -> Result<Option<PlannedChange>> {
        let api: Api<K> = Api::namespaced(self.ctx.client.clone(), &self.wanted.namespace);
        let child = difference::with_hash(child);
        let (action, detail) = match Box::pin(self.find(store, &api, &child)).await? {
            None => (PlannedAction::Create, "it is missing".to_owned()),
            Some(found) if found.places.is_empty() => return Ok(None),
            Some(found) => (PlannedAction::Update, differs_in(&found.places)),
        };
        Ok(Some(PlannedChange {
            action,
            object: format!("{}/{}", K::kind(&()), child.name_any()),
            client: None,
            detail,
        }))
    }

    /// What is there in the place of `child`.
    async fn find<K: Child>(
        &self,
        store: &Kept<K>,
        api: &Api<K>,
        child: &K,
    ) -> Result<Option<Found<K>>> {
        let name = child.name_any();
        let known = store.get(&self.wanted.namespace, &name);
        if let Some(live) = known
            && belongs_to(&live, &self.wanted.uid)
        {
            let places = difference::between(child, &live);
            if places.is_empty() {
                return Ok(Some(Found { live, places }));
            }
        }
        // The stores hold only what carries our label, and run behind: look before changing anything.
        let Some(live) = api.get_opt(&name).await? else {
            return Ok(None);
        };
        self.refuse_foreign(&live)?;
        let places = difference::between(child, &live);
        Ok(Some(Found { live, places }))
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
