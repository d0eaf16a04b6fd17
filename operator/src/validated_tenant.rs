//! A spec that cannot be wrong: what [validation](crate::reconcile) makes of a tenant, and all that
//! its children are made of.

#[cfg(test)]
pub(crate) mod example;
mod issuer;
mod monitoring;
mod network;
mod telemetry;
mod workloads;

use std::collections::BTreeMap;

use docket_contract::{ApiAuth, ClientLimits, RateLimit, Tls};
use docket_crds::{
    Affinity, Autoscaling, ClientStatus, HttpRoute, Ingress, Resources, Toleration,
    TopologySpreadConstraint,
};
use docket_objectives::Tenant;
use docket_schema::{Applied, Identity};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use secrecy::SecretString;

use crate::content_locations::ContentLocations;
use crate::credentials::api_keys::ClientKeys;
use crate::credentials::rotation::Rotated;
use crate::database::ConnectionLimit;

pub use issuer::ValidatedIssuer;
pub use monitoring::Monitoring;
pub use network::Network;
pub use telemetry::Telemetry;
pub use workloads::{Documents, PageViews, Publication, Workloads};

/// A tenant as it should be.
#[derive(Clone, Debug)]
pub struct ValidatedTenant {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// What makes the tenant the owner of its children.
    pub owner: OwnerReference,
    /// The owners whose content it takes over.
    pub take_over_content: Vec<String>,
    /// Contents of a client that a sweep may remove although they are unusually many.
    pub sweep_up_to: Option<u64>,
    /// The clients, sorted by name.
    pub clients: Vec<ValidatedClient>,
    /// Clients that the spec no longer names and that still exist in Postgres.
    pub released: Vec<ClientStatus>,
    /// When the logins were last rotated, if they ever were.
    pub rotated: Option<Rotated>,
    /// The same of the API keys.
    pub keys_rotated: Option<Rotated>,
    /// The logins that there were before are to end at once.
    pub revoked: bool,
    /// When a rotation is due that nobody asks for.
    pub next_rotation: Option<Timestamp>,
    /// The database, as the API servers reach it.
    pub database: docket_contract::Database,
    /// What the tenant runs for its clients.
    pub workloads: Workloads,
    /// How callers are authenticated.
    pub auth: ApiAuth,
    /// The keys with which the tenant issues tokens of its own, if it does.
    pub issuer: Option<ValidatedIssuer>,
    /// How often each client may call, over all pods together.
    pub rate_limit: RateLimit,
    /// The certificate that the API is served with.
    pub tls: Option<Tls>,
    /// What the user should mend, and what keeps nobody from being served.
    pub notices: Vec<Notice>,
    /// What the user should mend of the database, the gravest first.
    pub database_notices: Vec<Notice>,
    /// Image of the API server.
    pub api_image: String,
    /// Image of the collector.
    pub collector_image: String,
    /// What the spec asks for and this cluster cannot give; all else is done.
    pub unmet: Option<Notice>,
    /// Number of pods: with an autoscaler as many as there are, or its fewest before there are any.
    pub replicas: i32,
    /// Who chooses the number of pods, if it is not the spec.
    pub autoscaling: Option<Autoscaling>,
    /// The way in from outside the cluster, if there is one.
    pub ingress: Option<Ingress>,
    /// The operator does not allow the one that the spec asks for: what is there stays as it is.
    pub leaves_ingress: bool,
    /// The same through Gateways.
    pub http_route: Option<HttpRoute>,
    /// Who may connect to the pods, and where they may connect to.
    pub network: Network,
    /// Labels of the nodes that pods may run on.
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that pods put up with.
    pub tolerations: Vec<Toleration>,
    /// Which nodes pods prefer or need, and beside which pods.
    pub affinity: Option<Affinity>,
    /// How evenly pods are spread, if not as by default.
    pub topology_spread: Option<Vec<TopologySpreadConstraint>>,
    /// Compute resources of the API container.
    pub api_resources: Resources,
    /// Compute resources of the collector's container.
    pub collector_resources: Resources,
    /// What is recorded, what of it is taken out, and where the collectors send the rest.
    pub telemetry: Telemetry,
    /// What rules are about.
    pub watched: Tenant,
    /// What a Prometheus learns of the tenant.
    pub monitoring: Monitoring,
}

/// Something that the user should mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// CamelCase reason.
    pub reason: &'static str,
    /// A sentence that says what to do.
    pub message: String,
}

/// A client as it should be.
#[derive(Clone, Debug)]
pub struct ValidatedClient {
    /// Its name.
    pub name: String,
    /// Its schema and role.
    pub identity: Identity,
    /// Password of the role.
    pub password: SecretString,
    /// Keys that open its routes.
    pub keys: ClientKeys,
    /// What it may do, now.
    pub limits: ClientLimits,
    /// What there still is of the other one of its roles, if anything.
    pub retiring: Option<Retiring>,
    /// What Postgres lacks, if anything.
    pub provision: Option<Provisioning>,
    /// It says that it takes over retained data, and has its own.
    pub still_adopts: bool,
    /// The migrations that its schema has had.
    pub applied: Applied,
    /// Roles of its that the operator may not change.
    pub foreign_roles: Vec<String>,
    /// Connections that its role may hold.
    pub connections: ConnectionLimit,
    /// Connections that its server has for all.
    pub server_connections: i32,
    /// Where it keeps what is outside the database, what workloads left that are taken out among it.
    pub content: ContentLocations,
    /// Workloads that are taken out, and whose tables and content are to go.
    pub dropped: Vec<&'static str>,
}

/// What there is of a login that another one has replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retiring {
    /// It can still log in.
    Login,
    /// It cannot, and sessions of it may still be there.
    Sessions,
}

/// Why a client's schema has to be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioning {
    /// Nothing is there yet.
    Create,
    /// Retained data is taken over.
    Adopt,
    /// Schema, role or password are not as they should be.
    Update,
    /// The other role takes its turn.
    Rotate,
}
