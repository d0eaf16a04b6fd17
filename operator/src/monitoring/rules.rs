//! The rules of all tenants as ConfigMaps, for a Prometheus that reads files: where the cluster has no
//! PrometheusRules (ADR 0021).
//!
//! Beside the reconciles: one writer for all tenants, and what it writes belongs to none of them.

mod shards;

use std::sync::Arc;
use std::time::Duration;

use docket_crds::names::RULES_FIELD_MANAGER;
use docket_crds::{DocumentTenant, labels};
use docket_objectives::{Links, Scope, Tenant, objective_rules, presence_alerts, service_alerts};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Patch;
use kube::runtime::reflector::Store;
use kube::{Api, ResourceExt};
use serde::Serialize;
use serde_json::json;
use tracing::{Instrument, info_span};

use self::shards::{Files, Sharing, share};
use crate::context::Context;
use crate::identified::Identified;
use crate::monitoring::metrics::Metrics;
use crate::monitoring::tenant_objectives::monitored;
use crate::server_side_apply::applying;
use crate::ticker::ticker;

/// File with the rules of all tenants together.
const SHARED: &str = "docket-service.yaml";

/// Where the rules go to.
#[derive(Clone, Debug)]
pub struct ConfigMaps {
    /// Namespace of the ConfigMaps.
    pub namespace: String,
    /// Name of the first of them; those that follow are called `<name>-1`, `<name>-2`, ….
    pub name: String,
    /// How many there may be.
    pub most: usize,
    /// The namespaces whose tenants the operator cares for; all where none is named.
    pub tenants_of: Vec<String>,
}

/// A ConfigMap as it is in the cluster.
#[derive(Debug, Default)]
struct Shard {
    files: Files,
    /// None where it is not there.
    version: Option<String>,
}

/// Writes what differs once in `interval`, for as long as it is polled.
pub async fn keep(
    tenants: Store<DocumentTenant>,
    place: ConfigMaps,
    interval: Duration,
    ctx: Arc<Context>,
) {
    let Some(mut rounds) = ticker(interval, ctx.filled.clone()).await else {
        return;
    };
    let mut writer = Writer {
        api: Api::namespaced(ctx.client.clone(), &place.namespace),
        place,
        known: Vec::new(),
        metrics: ctx.metrics.clone(),
    };
    loop {
        rounds.tick().await;
        let files = match ctx.optional.prometheus_rules.is_there() {
            true => Ok(Files::new()),
            false => files(&tenants, &writer.place.tenants_of, &ctx.images.links),
        };
        let files = match files {
            Ok(files) => files,
            // What stands in the ConfigMaps is better than nothing.
            Err(error) => {
                tracing::error!(%error, "the rules cannot be put into words, and stay as they are");
                continue;
            }
        };
        let span = info_span!(parent: None, "rules");
        if let Err(error) = writer.write(files).instrument(span).await {
            tracing::warn!(%error, "the rules cannot be written now");
        }
    }
}

/// One file a tenant that stays, and one for all together.
fn files(
    tenants: &Store<DocumentTenant>,
    namespaces: &[String],
    links: &Links,
) -> Result<Files, serde_yaml::Error> {
    let of_all = service_alerts(Scope::All(namespaces), links);
    let shared = text(&[of_all]).map(|text| (SHARED.to_owned(), text));
    let each = tenants
        .state()
        .into_iter()
        .filter_map(Identified::new)
        .filter(|tenant| tenant.metadata.deletion_timestamp.is_none())
        .map(|tenant| file(&monitored(&tenant), links));
    each.chain([shared]).collect()
}

/// The file of one tenant.
fn file(tenant: &Tenant, links: &Links) -> Result<(String, String), serde_yaml::Error> {
    let mut groups = vec![presence_alerts(tenant, links)];
    groups.extend(objective_rules(&tenant.objectives, links));
    // A namespace has no underscore, so that no two tenants have the same.
    let name = format!("{}_{}.yaml", tenant.namespace, tenant.name);
    Ok((name, text(&groups)?))
}

/// A rules file of these groups.
fn text<G: Serialize>(groups: &[G]) -> Result<String, serde_yaml::Error> {
    #[derive(Serialize)]
    struct File<'a, G> {
        groups: &'a [G],
    }
    serde_yaml::to_string(&File { groups })
}

/// The only one who writes the ConfigMaps.
struct Writer {
    api: Api<ConfigMap>,
    place: ConfigMaps,
    known: Vec<Shard>,
    metrics: Metrics,
}

impl Writer {
    /// Writes the ConfigMaps that do not hold what they should.
    async fn write(&mut self, files: Files) -> kube::Result<()> {
        self.look().await?;
        let before = self.known.iter().map(|shard| shard.files.clone()).collect();
        let Sharing { shards, left_out } = share(files, before, self.place.most);
        self.metrics.left_out_rules(left_out.len());
        if let Some(first) = left_out.first() {
            tracing::warn!(
                count = left_out.len(),
                first,
                most = self.place.most,
                "rules of tenants are in no ConfigMap: all are full"
            );
        }
        self.known
            .resize_with(self.known.len().max(shards.len()), Shard::default);
        for (at, files) in shards.into_iter().enumerate() {
            let there = self.known[at].version.is_some();
            if self.known[at].files == files && (there || files.is_empty()) {
                continue;
            }
            let name = self.name(at);
            let object = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {labels::PART_OF: labels::DOCKET}},
                "data": files,
            });
            self.metrics.wrote("ConfigMap", "apply");
            let live = self
                .api
                .patch(&name, &applying(RULES_FIELD_MANAGER), &Patch::Apply(object))
                .await?;
            self.known[at] = Shard {
                version: live.resource_version(),
                files,
            };
        }
        Ok(())
    }

    /// Learns what is there; what did not change is not read again.
    async fn look(&mut self) -> kube::Result<()> {
        let mut known = Vec::new();
        let mut before = std::mem::take(&mut self.known).into_iter();
        for at in 0..self.place.most {
            let name = self.name(at);
            let live = self.api.get_metadata_opt(&name).await?;
            let version = live.and_then(|live| live.metadata.resource_version);
            let shard = before.next().unwrap_or_default();
            // They are filled one after the other.
            let Some(version) = version else { break };
            known.push(match shard.version == Some(version) {
                true => shard,
                false => {
                    let live = self.api.get_opt(&name).await?;
                    Shard {
                        version: live.as_ref().and_then(ResourceExt::resource_version),
                        files: live.and_then(|live| live.data).unwrap_or_default(),
                    }
                }
            });
        }
        self.known = known;
        Ok(())
    }

    fn name(&self, at: usize) -> String {
        match at {
            0 => self.place.name.clone(),
            at => format!("{}-{at}", self.place.name),
        }
    }
}

#[cfg(test)]
mod tests;
