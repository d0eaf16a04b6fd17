//! Decides: turns a spec and what was seen into a [`ValidatedTenant`] that cannot be wrong. The same comes of the
//! same, at the same time and with the same secrets.

use std::num::NonZeroU32;

use docket_contract::{ApiAuth, AuthMode, Jwt, RateLimit};
use docket_crds::ConditionType;
use docket_crds::{Api, ClientStatus, DeletionPolicy, DocumentTenant, annotations, names};
use docket_schema::{Conflict, Identity, State};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};

use super::dereference::{Dereferenced, Issued, api_keys_asked, identities, logins_asked};
use super::workloads::limits;
use super::{content_ownership, issuer, network, notices, telemetry};
use crate::build::Images;
use crate::content_locations::{ContentLocations, Moved};
use crate::credentials::api_keys::{ApiKeys, hands_out};
use crate::credentials::rotation::{Asked, Rotated};
use crate::credentials::secret_value::{SecretGenerator, fingerprint};
use crate::database::{ClientRow, ConnectionLimit};
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::monitoring::tenant_objectives::monitored;
use crate::validated_tenant::{
    Monitoring, Notice, Provisioning, Retiring, ValidatedClient, ValidatedTenant,
};

/// What becomes of `tenant` at the time `now`; `secrets` makes what clients lack.
///
/// # Errors
/// A claim to a schema that cannot be met, as a problem of the condition `DatabaseReady`, or an image that is not
/// allowed, of `Ready`.
pub(super) fn validate(
    tenant: &Identified<DocumentTenant>,
    seen: &Dereferenced,
    images: &Images,
    now: Timestamp,
    secrets: &mut dyn SecretGenerator,
) -> Result<ValidatedTenant> {
    let spec = &tenant.spec;
    let collector = &spec.telemetry.collector;
    if let Some(why) = images.allowed.refused_image(spec) {
        let problem = Problem::new(ConditionType::Ready, "ImageNotAllowed", why);
        return Err(Error::Permanent(problem));
    }
    let ingress = spec.api.ingress.as_ref();
    let refused_ingress = ingress.and_then(|asked| images.allowed.refused_ingress(asked));
    let mut clients = Vec::new();
    let workloads: Vec<&str> = seen.workloads.names().collect();
    let locations = seen.workloads.locations();
    let mut keys = ApiKeys::new(&seen.api_keys.entries);
    let (logins_asked, keys_asked) = (logins_asked(tenant), api_keys_asked(tenant));
    let logins = CredentialTurn::of(&logins_asked, &seen.credentials, || overlaps(seen), now);
    let api_keys = CredentialTurn::of(
        &keys_asked,
        &seen.api_keys,
        || hands_out(&seen.api_keys.entries),
        now,
    );
    for (client, identity) in identities(tenant) {
        let name = client.name.clone();
        let issued = seen.credentials.text(&name);
        let identity = in_use(identity, seen.credentials.text(&names::role_entry(&name)));
        let row = seen
            .inspected
            .inspection
            .get(&identity.schema)
            .cloned()
            .unwrap_or_default();
        let (identity, password) = match issued {
            Some(_) if logins.rotate => (identity.rotated(), secrets.password()),
            Some(password) => (identity, password.into()),
            // Its password is lost and pods still use it: they are not locked out.
            None if row.logins == [identity.role.clone()] => {
                (identity.rotated(), secrets.password())
            }
            None => (identity, secrets.password()),
        };
        let publications = &seen.workloads.publications;
        let mut client_keys = keys.of_client(&name, publications, secrets);
        if api_keys.rotate {
            client_keys.rotate(secrets);
        }
        let connections = ConnectionLimit::new(most_pods(&spec.api), row.server_connections);
        let claim = Claim {
            client: &name,
            tenant: &format!("{}/{}", tenant.namespace(), tenant.name()),
            schema: &identity.schema,
            role: &identity.role,
            tenant_uid: tenant.uid(),
            credential_hash: &fingerprint(&password),
            version_on_status: version_on_status(tenant, &name),
            adopt: client.adopt,
            workloads: &workloads,
            locations: &locations,
            connections,
            admin: &seen.connection.username,
            is_found: seen.found_content.contains(&identity.schema),
        };
        let provision = claim.decide(&row)?;
        let content = claim.content(&row);
        clients.push(ValidatedClient {
            keys: client_keys,
            retiring: retiring(&row, &identity.rotated().role).filter(|_| !logins.revoke),
            name,
            identity,
            password,
            limits: limits(client, &spec.workloads),
            provision,
            still_adopts: client.adopt && has_its_own(provision),
            dropped: dropped(tenant, &row, &workloads),
            content,
            applied: row.applied,
            foreign_roles: row.foreign_roles,
            connections,
            server_connections: row.server_connections,
        });
    }
    let (issuer, next_of_issuer) = issuer::decide(tenant, seen, now, secrets)?;
    let released: Vec<ClientStatus> = tenant
        .status
        .iter()
        .flat_map(|status| &status.clients)
        .filter(|known| !spec.clients.iter().any(|client| client.name == known.name))
        .cloned()
        .collect();
    for client in &released {
        keys.leave(&client.name);
    }
    let database_notices = notices::of_database(&clients, &seen.connection.username);
    Ok(ValidatedTenant {
        name: tenant.name().to_owned(),
        namespace: tenant.namespace().to_owned(),
        uid: tenant.uid().to_owned(),
        owner: owner(tenant),
        take_over_content: content_ownership::take_over(tenant),
        sweep_up_to: sweep_up_to(tenant),
        clients,
        released,
        next_rotation: [
            logins.next(&logins_asked),
            api_keys.next(&keys_asked),
            next_of_issuer,
        ]
        .into_iter()
        .flatten()
        .min(),
        rotated: logins.rotated,
        keys_rotated: api_keys.rotated,
        revoked: logins.revoke,
        database: seen.connection.database.clone(),
        workloads: seen.workloads.clone(),
        auth: auth(tenant, seen),
        issuer,
        rate_limit: rate_limit(&spec.api.rate_limit),
        tls: seen.certificate.as_ref().map(|seen| seen.tls.clone()),
        notices: notices::notices(tenant, seen, now, &keys.ignored()),
        database_notices,
        api_image: spec.api.image.clone().unwrap_or_else(|| images.api.clone()),
        collector_image: collector
            .image
            .clone()
            .unwrap_or_else(|| images.collector.clone()),
        unmet: notices::unmet(tenant, seen.gateway_api, refused_ingress.as_deref()),
        replicas: replicas(&spec.api, seen.replicas),
        autoscaling: spec.api.autoscaling.clone(),
        leaves_ingress: refused_ingress.is_some(),
        ingress: spec
            .api
            .ingress
            .clone()
            .filter(|_| refused_ingress.is_none()),
        http_route: spec.api.http_route.clone().filter(|_| seen.gateway_api),
        network: network::network(&spec.api, &images.network),
        node_selector: spec.api.node_selector.clone(),
        tolerations: spec.api.tolerations.clone(),
        affinity: spec.api.affinity.clone(),
        topology_spread: spec.api.topology_spread_constraints.clone(),
        api_resources: spec.api.resources.clone(),
        collector_resources: collector.resources.clone(),
        telemetry: telemetry::telemetry(tenant, &seen.telemetry, images, now),
        watched: monitored(tenant),
        monitoring: Monitoring {
            links: images.links.clone(),
            labels: images.monitoring_labels.clone(),
            prometheus_rules: seen.prometheus_rules,
            pod_monitors: seen.pod_monitors,
        },
    })
}

fn auth(tenant: &Identified<DocumentTenant>, seen: &Dereferenced) -> ApiAuth {
    let auth = &tenant.spec.api.auth;
    let (mode, jwt) = match (auth.mode, &auth.jwt) {
        (docket_crds::AuthMode::ApiKey, _) => (AuthMode::ApiKey, None),
        (docket_crds::AuthMode::None, _) => (AuthMode::None, None),
        (docket_crds::AuthMode::Jwt, jwt) => (AuthMode::Jwt, jwt.as_ref()),
    };
    let jwt = jwt.map(|jwt| Jwt {
        issuer: jwt.issuer.clone(),
        audience: jwt.audience.clone(),
        jwks_url: jwt.jwks_url.clone(),
        client_claim: jwt.client_claim.clone(),
        ca: seen.issuer_ca.clone(),
    });
    ApiAuth {
        mode,
        jwt,
        issuer: issuer::own_issuer(tenant),
    }
}

/// The schema accepts positive numbers only, so nothing is lost here.
fn rate_limit(limit: &docket_crds::RateLimit) -> RateLimit {
    let positive = |number: i32| NonZeroU32::new(number.unsigned_abs()).unwrap_or(NonZeroU32::MIN);
    let per_second = limit.requests_per_second;
    RateLimit {
        requests_per_second: positive(per_second),
        burst: positive(limit.burst.unwrap_or(per_second.saturating_mul(2))),
    }
}

/// An autoscaler's number is `live`, of the pods that there are; it leaves none alone that are 0.
fn replicas(api: &Api, live: Option<i32>) -> i32 {
    match &api.autoscaling {
        None => api.replicas.unwrap_or(Api::DEFAULT_REPLICAS),
        Some(bounds) => live.filter(|live| *live > 0).unwrap_or(bounds.min_replicas),
    }
}

/// The most pods that there may be at once, with the one that comes before another goes.
fn most_pods(api: &Api) -> i32 {
    let most = api.autoscaling.as_ref().map(|it| it.max_replicas);
    let most = most.or(api.replicas).unwrap_or(Api::DEFAULT_REPLICAS);
    most.saturating_add(1)
}

/// How much may be swept although it is unusual; what is no number asks for nothing.
fn sweep_up_to(tenant: &DocumentTenant) -> Option<u64> {
    let asked = tenant.annotations().get(annotations::SWEEP_UP_TO)?;
    asked.trim().parse().ok()
}

fn owner(tenant: &Identified<DocumentTenant>) -> OwnerReference {
    OwnerReference {
        api_version: DocumentTenant::api_version(&()).into_owned(),
        kind: DocumentTenant::kind(&()).into_owned(),
        name: tenant.name().to_owned(),
        uid: tenant.uid().to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Version of the schema of `client` when it was last seen; 0 where it never was.
fn version_on_status(tenant: &Identified<DocumentTenant>, client: &str) -> i32 {
    let clients = tenant.status.iter().flat_map(|status| &status.clients);
    let known = clients.into_iter().find(|known| known.name == client);
    known.map_or(0, |known| known.schema_version)
}

/// Workloads whose data goes because they were taken out. Of a schema that is not the tenant's nothing goes.
fn dropped(
    tenant: &Identified<DocumentTenant>,
    row: &ClientRow,
    workloads: &[&str],
) -> Vec<&'static str> {
    let is_ours = row.registered.as_ref().is_some_and(|registered| {
        registered.tenant_uid == tenant.uid() && registered.state == State::Active
    });
    match tenant.spec.database.deletion_policy {
        DeletionPolicy::Delete if is_ours => row.applied.beside(workloads).collect(),
        DeletionPolicy::Delete | DeletionPolicy::Retain => Vec::new(),
    }
}

/// What becomes of a kind of credentials.
struct CredentialTurn {
    rotate: bool,
    /// Those before are to end at once.
    revoke: bool,
    /// The last rotation, for the Secret; none while there never was one.
    rotated: Option<Rotated>,
    last: Option<Rotated>,
}

impl CredentialTurn {
    /// A rotation begins only when the one before has come to its end, but for one that leaves nothing to end.
    fn of(asked: &Asked, issued: &Issued, busy: impl Fn() -> bool, now: Timestamp) -> Self {
        let last = issued.rotated.clone();
        let due = last.as_ref().is_some_and(|last| asked.is_due(last, now));
        let revoke = last.as_ref().is_some_and(|last| asked.is_revoked(last));
        let rotate = revoke || (due && !busy());
        let first = last.is_none() && (asked.value.is_some() || asked.revoke.is_some());
        let rotated = match rotate || first {
            true => Some(Rotated {
                at: now,
                asked: asked
                    .value
                    .clone()
                    .or(last.clone().and_then(|last| last.asked)),
                revoked: asked
                    .revoke
                    .clone()
                    .or(last.clone().and_then(|last| last.revoked)),
            }),
            false => last.clone().filter(|_| issued.was_rotated),
        };
        Self {
            rotate,
            revoke,
            last: rotated.clone().or(last),
            rotated,
        }
    }

    fn next(&self, asked: &Asked) -> Option<Timestamp> {
        asked.next(self.last.as_ref()?)
    }
}

/// Whether a client has its data already, whatever else is to be done.
fn has_its_own(provision: Option<Provisioning>) -> bool {
    !matches!(provision, Some(Provisioning::Create | Provisioning::Adopt))
}

/// What there still is of the login `before`.
fn retiring(row: &ClientRow, before: &String) -> Option<Retiring> {
    let can_log_in = row.logins.contains(before).then_some(Retiring::Login);
    can_log_in.or_else(|| row.ending.contains(before).then_some(Retiring::Sessions))
}

/// Whether a client has two logins at once, or sessions of the one before: a third would be needed.
fn overlaps(seen: &Dereferenced) -> bool {
    seen.inspected
        .inspection
        .values()
        .any(|row| row.logins.len() > 1 || !row.ending.is_empty())
}

/// `identity` with the role that the Secret names, if that is one of its own.
fn in_use(identity: Identity, role: Option<&str>) -> Identity {
    match role {
        Some(role) if role == identity.rotated().role => identity.rotated(),
        _ => identity,
    }
}

/// What a client asks of a schema.
struct Claim<'a> {
    client: &'a str,
    /// `namespace/name`.
    tenant: &'a str,
    schema: &'a str,
    role: &'a str,
    tenant_uid: &'a str,
    credential_hash: &'a str,
    version_on_status: i32,
    adopt: bool,
    workloads: &'a [&'a str],
    locations: &'a ContentLocations,
    connections: ConnectionLimit,
    admin: &'a str,
    /// The bucket that the spec names says that the content in it is this client's.
    is_found: bool,
}

impl Claim<'_> {
    /// Where the client keeps what is outside the database: what the spec says, and what workloads left that it
    /// no longer names.
    fn content(&self, row: &ClientRow) -> ContentLocations {
        let known = row.registered.as_ref().map(|it| it.content.clone());
        known.unwrap_or_default().with(self.locations)
    }

    /// What has to be done in Postgres for the claim, or why it is refused.
    fn decide(&self, row: &ClientRow) -> Result<Option<Provisioning>> {
        let work = self.work(row)?;
        if work.is_some() && !row.foreign_roles.is_empty() {
            let roles: Vec<&str> = row.foreign_roles.iter().map(String::as_str).collect();
            let Notice { reason, message } = notices::foreign(&roles, self.admin);
            let problem = Problem::new(ConditionType::DatabaseReady, reason, message);
            return Err(Error::Transient(problem));
        }
        Ok(work)
    }

    fn work(&self, row: &ClientRow) -> Result<Option<Provisioning>> {
        let state = row.registered.as_ref().map(|known| known.state);
        // An empty schema in the place of one with data would look like their loss.
        let is_deleted = state == Some(State::Deleted) || self.was_deleted(row);
        if self.version_on_status > 0 && !row.schema_exists && !is_deleted {
            return Err(self.refused(
                "SchemaLost",
                "it was made before and is not in this database; point the Secret at the right database, restore \
                 the schema from a backup, or remove the client and add it anew to start with an empty one",
            ));
        }
        let Some(registered) = &row.registered else {
            return if row.schema_exists || row.role_exists {
                Err(self.refused(
                    "SchemaNotOurs",
                    "a schema or role of that name exists and is not in Docket's registry; rename or drop it",
                ))
            } else {
                Ok(Some(Provisioning::Create))
            };
        };
        if let Some(conflict) = row.applied.conflict(self.workloads) {
            let reason = match conflict {
                Conflict::Changed { .. } => "MigrationChanged",
                Conflict::Newer { .. } => "SchemaTooNew",
            };
            return Err(self.refused(reason, &conflict.to_string()));
        }
        if let Some(moved) = registered.content.moved(self.locations)
            && !(moved.is_same_bucket && self.is_found)
        {
            return Err(self.refused("ContentElsewhere", &elsewhere(&moved)));
        }
        let ours = registered.tenant_uid == self.tenant_uid;
        let is_named_so = registered.tenant == self.tenant && registered.client == self.client;
        match registered.state {
            State::Deleted => Ok(Some(Provisioning::Create)),
            // Only a status that somebody wrote by hand leads to a schema of another name.
            State::Retained if !is_named_so => Err(self.refused(
                "RetainedForAnother",
                &format!(
                    "it holds data that was retained for the client {} of the tenant {}, which only a client of the same \
                     names may adopt; correct status.clients",
                    registered.client, registered.tenant
                ),
            )),
            State::Retained if self.adopt => Ok(Some(Provisioning::Adopt)),
            State::Retained => Err(self.refused(
                "RetainedDataFound",
                &format!(
                    "it holds data that was retained when their client or the tenant {} was removed; set adopt: true \
                     on the client to take them over, or drop them",
                    registered.tenant
                ),
            )),
            State::Active if !ours => Err(self.refused(
                "ClaimedByAnotherTenant",
                &format!(
                    "it is in use by another tenant, {} (uid {}); if that tenant is gone, mark its row in docket.clients \
                     as Retained and set adopt: true on the client",
                    registered.tenant, registered.tenant_uid
                ),
            )),
            State::Active => {
                if row.schema_exists && registered.role != self.role {
                    return Ok(Some(Provisioning::Rotate));
                }
                let current = row.schema_exists
                    && row.logins.iter().any(|role| role == self.role)
                    && row.applied.is_current(self.workloads)
                    && registered.content == self.content(row)
                    && registered.credential_hash == self.credential_hash
                    && row
                        .connection_limit
                        .is_some_and(|limit| self.connections.is_met_by(limit));
                Ok((!current).then_some(Provisioning::Update))
            }
        }
    }

    /// Whether it is not there because it was deleted for this tenant.
    fn was_deleted(&self, row: &ClientRow) -> bool {
        row.deleted_for.iter().any(|uid| uid == self.tenant_uid)
    }

    fn refused(&self, reason: &'static str, why: &str) -> Error {
        Error::Permanent(Problem::new(
            ConditionType::DatabaseReady,
            reason,
            format!(
                "Client {} cannot use the schema {}: {why}.",
                self.client, self.schema
            ),
        ))
    }
}

/// Where content is, and what to do.
fn elsewhere(moved: &Moved) -> String {
    let Moved {
        workload,
        bucket,
        endpoint,
        is_same_bucket,
    } = moved;
    let also = match is_same_bucket {
        true => ", and nothing of it is in the bucket of that name behind the endpoint of the spec",
        false => "",
    };
    format!(
        "the content of its {workload} is in the bucket {bucket} behind {endpoint}{also}; name that in \
         spec.workloads.{workload}, or remove the client and add it anew to start with an empty one"
    )
}

#[cfg(test)]
mod tests;
