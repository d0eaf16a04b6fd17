//! Wires watches to reconciles.

use std::fmt::Debug;
use std::sync::Arc;

use docket_crds::DocumentTenant;
use futures::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::{apps, autoscaling, core, networking, policy};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::{Controller, WatchStreamExt, watcher};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::build::{MANAGED_BY, TENANT_LABEL};
use crate::context::Context;
use crate::error::Error;
use crate::gateway_api::HttpRoute;
use crate::gateway_presence::{GatewayPresence, INTERVAL, while_there};
use crate::reconcile::reconcile;
use crate::scope::Scope;
use crate::stores::Stores;
use crate::without_status::without_status;

/// The watches that a controller needs, and the stores that they fill.
pub struct Watches {
    /// What the watches have brought so far.
    pub stores: Stores,
    /// The tenants.
    pub tenants: Store<DocumentTenant>,
    /// Whether the cluster has the Gateway API.
    pub gateway: GatewayPresence,
    controller: Controller<DocumentTenant>,
}

impl Watches {
    /// Sets up the watches; they start when [`Watches::run`] is polled.
    #[must_use]
    pub fn new(scope: &Scope, concurrency: u16) -> Self {
        let controller = Controller::new(scope.api(), watcher::Config::default())
            .with_config(controller::Config::default().concurrency(concurrency));
        let (secrets, secret_events) = children::<core::v1::Secret>(scope);
        let (config_maps, config_map_events) = children::<core::v1::ConfigMap>(scope);
        let (services, service_events) = children::<core::v1::Service>(scope);
        let (service_accounts, account_events) = children::<core::v1::ServiceAccount>(scope);
        let (disruption_budgets, budget_events) =
            children::<policy::v1::PodDisruptionBudget>(scope);
        let (network_policies, policy_events) = children::<networking::v1::NetworkPolicy>(scope);
        let (ingresses, ingress_events) = still::<networking::v1::Ingress>(scope);
        let (autoscalers, autoscaler_events) =
            still::<autoscaling::v2::HorizontalPodAutoscaler>(scope);
        let (http_routes, gateway, route_events) = http_routes(scope);
        let (deployments, deployment_events) = children::<apps::v1::Deployment>(scope);
        let (pods, pod_events) = children::<Pod>(scope);
        let tenants = controller.store();
        let named_in = tenants.clone();
        let controller = controller
            .owns_stream(secret_events)
            .owns_stream(config_map_events)
            .owns_stream(service_events)
            .owns_stream(account_events)
            .owns_stream(budget_events)
            .owns_stream(policy_events)
            .owns_stream(ingress_events)
            .owns_stream(autoscaler_events)
            .owns_stream(route_events)
            .owns_stream(deployment_events)
            .reconcile_all_on(gateway.clone().changes())
            .watches_stream(pod_events, |pod| tenant_of(&pod))
            .watches_stream(referenced_secrets(scope), move |secret| {
                tenants_that_name(&named_in, &secret)
            });
        let stores = Stores {
            secrets,
            config_maps,
            services,
            service_accounts,
            disruption_budgets,
            network_policies,
            ingresses,
            http_routes,
            autoscalers,
            deployments,
            pods,
        };
        Self {
            stores,
            tenants,
            gateway,
            controller,
        }
    }

    /// Reconciles until `stop` resolves; what was begun is finished.
    pub async fn run(
        self,
        ctx: Arc<Context>,
        stop: impl Future<Output = ()> + Send + Sync + 'static,
    ) {
        self.controller
            .graceful_shutdown_on(stop)
            .run(reconcile, retry, ctx)
            // What fails is logged where it fails: by `retry` and by the watches.
            .for_each(|_| async {})
            .await;
    }
}

fn retry(tenant: Arc<DocumentTenant>, error: &Error, ctx: Arc<Context>) -> Action {
    let wait = ctx.backoff.failed(&tenant.uid().unwrap_or_default());
    tracing::warn!(
        docket.tenant = tenant.name_any(),
        k8s.namespace.name = tenant.namespace(),
        %error,
        retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        "reconcile failed"
    );
    Action::requeue(wait)
}

type Events<K> = std::pin::Pin<Box<dyn Stream<Item = Result<K, watcher::Error>> + Send>>;

/// Watches the objects of a kind that carry our label, into a store.
fn children<K>(scope: &Scope) -> (Store<K>, Events<K>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + Trim
        + 'static,
{
    let (reader, writer) = store();
    let events = trimmed(scope).reflect(writer).touched_objects().boxed();
    (reader, events)
}

/// The same of a kind whose status concerns nobody here.
fn still<K>(scope: &Scope) -> (Store<K>, Events<K>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + Trim
        + 'static,
{
    let (reader, writer) = store();
    let events = without_status(trimmed(scope).reflect(writer)).boxed();
    (reader, events)
}

/// The same of HTTPRoutes, while the cluster has them.
fn http_routes(scope: &Scope) -> (Store<HttpRoute>, GatewayPresence, Events<HttpRoute>) {
    let (reader, writer) = store();
    let watched = scope.clone();
    let (gateway, events) = while_there(scope.client(), INTERVAL, move || trimmed(&watched));
    let events = without_status(events.reflect(writer)).boxed();
    (reader, gateway, events)
}

fn trimmed<K>(
    scope: &Scope,
) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + use<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Trim
        + 'static,
{
    let labels = format!("app.kubernetes.io/managed-by={MANAGED_BY}");
    watcher(scope.api::<K>(), watcher::Config::default().labels(&labels))
        .default_backoff()
        .modify(|object| {
            object.meta_mut().managed_fields = None;
            object.trim();
        })
}

/// Drops from an object what no decision needs, before it is kept in memory.
trait Trim {
    fn trim(&mut self) {}
}

impl Trim for core::v1::Secret {}
impl Trim for core::v1::ConfigMap {}
impl Trim for core::v1::Service {}
impl Trim for core::v1::ServiceAccount {}
impl Trim for policy::v1::PodDisruptionBudget {}
impl Trim for networking::v1::NetworkPolicy {}
impl Trim for apps::v1::Deployment {}
impl Trim for HttpRoute {}
impl Trim for networking::v1::Ingress {
    fn trim(&mut self) {
        self.status = None;
    }
}
impl Trim for autoscaling::v2::HorizontalPodAutoscaler {
    fn trim(&mut self) {
        self.status = None;
    }
}
impl Trim for Pod {
    fn trim(&mut self) {
        self.spec = None;
        self.metadata.annotations = None;
    }
}

/// Any Secret may be one that a tenant names, so all are watched, without their data.
fn referenced_secrets(
    scope: &Scope,
) -> impl Stream<Item = Result<PartialObjectMeta<Secret>, watcher::Error>> + Send + use<> {
    let labels = format!("app.kubernetes.io/managed-by!={MANAGED_BY}");
    let config = watcher::Config::default().labels(&labels);
    watcher(scope.api::<PartialObjectMeta<Secret>>(), config)
        .default_backoff()
        .touched_objects()
}

fn tenants_that_name(
    tenants: &Store<DocumentTenant>,
    secret: &PartialObjectMeta<Secret>,
) -> Vec<ObjectRef<DocumentTenant>> {
    let (namespace, name) = (secret.namespace(), secret.name_any());
    tenants
        .state_filter(|tenant| {
            tenant.namespace() == namespace
                && tenant.spec.secrets().any(|secret| secret.name == name)
        })
        .iter()
        .map(|tenant| ObjectRef::from_obj(&**tenant))
        .collect()
}

fn tenant_of(pod: &Pod) -> Option<ObjectRef<DocumentTenant>> {
    let name = pod.labels().get(TENANT_LABEL)?;
    Some(ObjectRef::new(name).within(&pod.namespace()?))
}
