//! Acts on Kubernetes: creates what is missing, applies (server-side) what differs, and nothing else.

mod difference;
mod drift;
mod handover;
mod prune;
mod quantity;
mod takeover;

use docket_crds::ConditionType;
use docket_crds::names::{HANDOVER_FIELD_MANAGER, OPERATOR_FIELD_MANAGER};
use std::fmt::{self, Debug};

use docket_crds::{DocumentTenant, PlannedAction, PlannedChange};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use tracing::{Instrument, info_span};

use self::difference::FieldPath;
pub(super) use self::prune::take_away;
use crate::build::{Children, DesiredChild, EachChild, Secrets};
use crate::cache::child::Child;
use crate::context::Context;
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::reconciled_kind::{ReconciledKind, Shared};
use crate::server_side_apply::applying;
use crate::status::rollout::{Rollout, Rollouts};

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

/// What came of a child.
pub(super) struct Applied {
    /// What was changed of it, if anything was.
    change: Option<Change>,
    /// The component that it is, and how far its pods are, if it has some.
    rollout: Option<(String, Rollout)>,
}

/// What came of many.
#[derive(Debug, Default)]
pub(super) struct AllApplied {
    /// What was changed, in order.
    pub changes: Vec<Change>,
    /// How far the pods are of each that has some.
    pub rollouts: Rollouts,
}

impl FromIterator<Applied> for AllApplied {
    fn from_iter<I: IntoIterator<Item = Applied>>(all: I) -> Self {
        let (changes, rollouts): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|Applied { change, rollout }| (change, rollout))
            .unzip();
        Self {
            changes: changes.into_iter().flatten().collect(),
            rollouts: rollouts.into_iter().flatten().collect(),
        }
    }
}

/// Applies the Secrets with what was issued. Where nothing had been, as far as was seen, none is
/// changed that is there all the same.
pub(super) async fn secrets(
    tenant: &Identified<DocumentTenant>,
    secrets: Secrets,
    nothing_was_issued: bool,
    ctx: &Context,
) -> Result<Vec<Change>> {
    let apply = Apply {
        creates_only: nothing_was_issued,
        ..Apply::of(tenant, ctx)
    };
    let applied = secrets.each(&apply).await?;
    Ok(applied.into_iter().collect::<AllApplied>().changes)
}

/// Applies one Secret.
pub(super) async fn secret(
    tenant: &Identified<DocumentTenant>,
    secret: Secret,
    ctx: &Context,
) -> Result<Option<Change>> {
    let secret = DesiredChild::of(secret);
    let applied = Apply::of(tenant, ctx).child(secret).await?;
    Ok(applied.and_then(|applied| applied.change))
}

/// Applies all other children, and takes away what is no longer wanted.
pub(super) async fn children(
    tenant: &Identified<DocumentTenant>,
    children: Children,
    ctx: &Context,
) -> Result<AllApplied> {
    let applied = children.each(&Apply::of(tenant, ctx)).await?;
    Ok(applied.into_iter().collect())
}

impl<K: ReconciledKind> EachChild for Apply<'_, K> {
    type Outcome = Applied;

    async fn child<C: Child>(&self, child: DesiredChild<C>) -> Result<Option<Applied>> {
        let (change, live) = match child.object {
            Some(object) => {
                let (change, live) = self.one(object, child.first_replicas).await?;
                (change, Some(live))
            }
            None => (self.prune::<C>(&child.name).await?, None),
        };
        let deployment = live.as_ref().and_then(Child::as_deployment);
        let rollout = deployment.map(Rollout::of_component);
        Ok(Some(Applied { change, rollout }))
    }
}

/// What would be changed of all children, in the order in which it would be.
pub(super) async fn plan(
    tenant: &Identified<DocumentTenant>,
    secrets: Secrets,
    children: Children,
    ctx: &Context,
) -> Result<Vec<PlannedChange>> {
    let plan = Plan(Apply::of(tenant, ctx));
    let mut planned = secrets.each(&plan).await?;
    planned.extend(children.each(&plan).await?);
    Ok(planned)
}

/// What [`Apply`] would do, said and not done.
struct Plan<'a, K: ReconciledKind>(Apply<'a, K>);

impl<K: ReconciledKind> EachChild for Plan<'_, K> {
    type Outcome = PlannedChange;

    async fn child<C: Child>(&self, child: DesiredChild<C>) -> Result<Option<PlannedChange>> {
        match child.object {
            Some(object) => self.0.plan(object).await,
            None => Ok(self.0.plan_to_prune::<C>(&child.name)),
        }
    }
}

/// Whether the owner `uid` owns `object`.
pub(super) fn belongs_to<K: Resource>(object: &K, uid: &str) -> bool {
    let owners = object.owner_references();
    owners.iter().any(|owner| owner.uid == uid)
}

/// Who changed what of a child. The stores do not know who it was: they keep no managed fields.
async fn drift_of<K: Child>(api: &Api<K>, name: &str, places: &[FieldPath]) -> String {
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
fn differs_in(places: &[FieldPath]) -> String {
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

/// Applies the children of an object, of whichever kind that is, and takes away what it no longer wants.
pub(super) struct Apply<'a, K: ReconciledKind> {
    owner: &'a Identified<K>,
    /// What is there already is not changed: that it is there comes as a surprise.
    creates_only: bool,
    shared: Shared<'a, K>,
}

impl<'a, K: ReconciledKind> Apply<'a, K> {
    pub(super) fn of(owner: &'a Identified<K>, ctx: &'a K::Context) -> Self {
        Self {
            owner,
            creates_only: false,
            shared: K::shared(ctx),
        }
    }
}

/// A child that is there.
struct LiveChild<C> {
    live: C,
    /// Where it is not as it should be.
    places: Vec<FieldPath>,
}

impl<K: ReconciledKind> Apply<'_, K> {
    /// Applies `child` where it differs from what is there, and returns it as it is now; what is
    /// there and is not ours is refused.
    async fn one<C: Child>(&self, child: C, first_replicas: i32) -> Result<(Option<Change>, C)> {
        let kind = C::kind(&());
        let name = child.name_any();
        let span = info_span!(
            "apply_child",
            otel.name = format!("apply {kind}"),
            k8s.object.name = name
        );
        // On the heap: there is one of these for each child, and a thread's stack is small.
        Box::pin(async {
            let api: Api<C> = Api::namespaced(self.shared.client.clone(), self.owner.namespace());
            let mut child = difference::with_hash(child);
            let create = || self.create(&api, &child, first_replicas);
            let refused = match C::cache(self.shared.caches).has(self.owner.namespace(), &name) {
                true => None,
                false => match create().await {
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
            let found = match (self.find(&api, &child).await?, refused) {
                (Some(found), _) if found.places.is_empty() => return Ok((None, found.live)),
                (Some(_), Some(refused)) if self.creates_only => return Err(refused.into()),
                (Some(found), _) => found,
                // It is gone again.
                (None, Some(refused)) => return Err(refused.into()),
                (None, None) => {
                    let live = create().await?;
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
                self.shared.metrics.wrote(&kind, "patch");
                let params = PatchParams::default();
                live = api.patch(&name, &params, &Patch::Merge(taken)).await?;
            }
            if let Some(kept) = handover::before(&child, &live) {
                self.shared.metrics.wrote(&kind, "apply");
                let params = PatchParams::apply(HANDOVER_FIELD_MANAGER);
                api.patch(&name, &params, &Patch::Apply(kept)).await?;
            }
            // Makes the apply fail for an object that took its place meanwhile.
            child.meta_mut().uid = live.uid();
            let before = live.resource_version();
            let live = self.patch(&api, &child).await?;
            // What others added to our fields and the API server lets them keep is no change.
            let changed = before != live.resource_version();
            if let Some(note) = drift.filter(|_| changed) {
                self.shared
                    .events
                    .tell(self.owner, "DriftRepaired", note)
                    .await;
            }
            let change = changed.then(|| Change::new("updated", format!("{kind}/{name}")));
            Ok((change, live))
        })
        .instrument(span)
        .await
    }

    /// Creates a child that is not there; one that is there is refused, and stays as it is.
    async fn create<C: Child>(
        &self,
        api: &Api<C>,
        child: &C,
        first_replicas: i32,
    ) -> kube::Result<C> {
        let mut child = child.clone();
        child.begin(first_replicas);
        let params = PostParams {
            field_manager: Some(OPERATOR_FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        self.shared.metrics.wrote(&C::kind(&()), "create");
        api.create(&params, &child).await
    }

    async fn patch<C: Child>(&self, api: &Api<C>, child: &C) -> kube::Result<C> {
        let params = applying(OPERATOR_FIELD_MANAGER);
        self.shared.metrics.wrote(&C::kind(&()), "apply");
        api.patch(&child.name_any(), &params, &Patch::Apply(child))
            .await
    }

    async fn plan<C: Child>(&self, child: C) -> Result<Option<PlannedChange>> {
        let api: Api<C> = Api::namespaced(self.shared.client.clone(), self.owner.namespace());
        let child = difference::with_hash(child);
        let (action, detail) = match Box::pin(self.find(&api, &child)).await? {
            None => (PlannedAction::Create, "it is missing".to_owned()),
            Some(found) if found.places.is_empty() => return Ok(None),
            Some(found) => (PlannedAction::Update, differs_in(&found.places)),
        };
        Ok(Some(PlannedChange {
            action,
            object: format!("{}/{}", C::kind(&()), child.name_any()),
            client: None,
            detail,
        }))
    }

    /// What is there in the place of `child`.
    async fn find<C: Child>(&self, api: &Api<C>, child: &C) -> Result<Option<LiveChild<C>>> {
        let name = child.name_any();
        let known = C::cache(self.shared.caches).get(self.owner.namespace(), &name);
        if let Some(live) = known
            && belongs_to(&live, self.owner.uid())
        {
            let places = difference::between(child, &live);
            if places.is_empty() {
                return Ok(Some(LiveChild { live, places }));
            }
        }
        // The stores hold only what carries our label, and run behind: look before changing anything.
        let Some(live) = api.get_opt(&name).await? else {
            return Ok(None);
        };
        self.refuse_foreign(&live)?;
        let places = difference::between(child, &live);
        Ok(Some(LiveChild { live, places }))
    }

    fn refuse_foreign<C: Child>(&self, live: &C) -> Result<()> {
        if belongs_to(live, self.owner.uid()) {
            return Ok(());
        }
        let kind = C::kind(&());
        // An owner that is gone takes its objects along shortly: then the name is free.
        let error = if live
            .owner_references()
            .iter()
            .any(|owner| owner.kind == K::kind(&()))
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
