//! What there is to say of a kind of custom resource to have it reconciled. All else that a kind needs is written
//! once, for any: its watch, its turn, its finalizer, its memory, its Events, its status, its children.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Span;

use crate::cache::caches::{Caches, Filled};
use crate::error::{Error, Result};
use crate::identified::Identified;
use crate::memory::Memories;
use crate::monitoring::metrics::Metrics;
use crate::status::events::Events;
use crate::status::timeline::Timeline;

/// A kind of custom resource that this operator brings to what its objects ask for.
pub trait ReconciledKind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Serialize
    + Sync
    + 'static
{
    /// Keeps a deleted object until [`ReconciledKind::cleanup`] has dealt with what it leaves.
    const FINALIZER: &'static str;

    /// What the reconciles of this kind share.
    type Context: Send + Sync + 'static;

    /// What is kept of each object beside what is kept of one of any kind.
    type Memory: Debug + Default + Send + 'static;

    /// The part of the context that a kind has in common with any other.
    fn shared(ctx: &Self::Context) -> Shared<'_, Self>;

    /// The span of one reconcile, without a parent: each is a trace of its own.
    fn span(object: &Identified<Self>) -> Span;

    /// Names of the Secrets in its namespace that the object names; a change of one brings it back.
    fn secrets(&self) -> impl Iterator<Item = &str>;

    /// Whether the object is left as it is for now. Then it gets no finalizer, either.
    fn is_at_rest(&self) -> bool {
        false
    }

    /// Brings the object to what it asks for, and says on its status how far that is.
    ///
    /// # Errors
    /// Whatever kept it from that; it is reported after this.
    fn reconcile(
        object: &Identified<Self>,
        timeline: &mut Timeline,
        ctx: &Self::Context,
    ) -> impl Future<Output = Result<Next>> + Send;

    /// Deals with what a deleted object leaves, until that is [`Next::Gone`].
    ///
    /// # Errors
    /// As of [`ReconciledKind::reconcile`].
    fn cleanup(
        object: &Identified<Self>,
        timeline: &Timeline,
        ctx: &Self::Context,
    ) -> impl Future<Output = Result<Next>> + Send;

    /// Says on the status of the object what kept it from what it asks for.
    ///
    /// # Errors
    /// The status cannot be written.
    fn report_failure(
        object: &Identified<Self>,
        error: &Error,
        timeline: &Timeline,
        ctx: &Self::Context,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// When an object is looked at again, after a reconcile that reached its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When something of it changes, after this time, or now and then, whichever comes first.
    Again(Option<Duration>),
    /// When something of it changes.
    Change,
    /// Not any more: it was deleted, and nothing of it is left.
    Gone,
}

/// What the reconciles of every kind need.
pub struct Shared<'a, K: ReconciledKind> {
    /// The API server, which is written to only while the Lease is held.
    pub client: &'a Client,
    /// What is known of the cluster.
    pub caches: &'a Caches,
    /// Whether that is all there is to know.
    pub filled: &'a Filled,
    /// What is kept of each object while there is one.
    pub memories: &'a Memories<K>,
    /// What is counted.
    pub metrics: &'a Metrics,
    /// Events.
    pub events: &'a Events,
}

impl<K: ReconciledKind> Clone for Shared<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: ReconciledKind> Copy for Shared<'_, K> {}
