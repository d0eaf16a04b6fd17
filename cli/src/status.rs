//! `status`: how a tenant is, and how it came to be so.

mod events;
mod list;
mod page;
mod rotation;
mod tree;

use docket_crds::{DocumentTenant, names};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use self::page::Seen;
use self::rotation::Issued;
use crate::arguments::Status;
use crate::cluster::Cluster;
use crate::problem::Problem;
use crate::screen::Screen;
use crate::tenant;

pub(crate) async fn status(
    cluster: &Cluster,
    wanted: &Status,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let now = Timestamp::now();
    let page = match &wanted.name {
        Some(name) => {
            let tenant = tenant::read(cluster, name).await?;
            page::page(&see(cluster, tenant).await, now)
        }
        None => {
            let tenants = match wanted.all_namespaces {
                true => Api::<DocumentTenant>::all(cluster.client.clone()),
                false => cluster.tenants(),
            };
            let listed = tenants.list(&ListParams::default()).await;
            let listed = listed.map_err(tenant::of_list)?;
            let namespace = (!wanted.all_namespaces).then_some(cluster.namespace.as_str());
            list::list(&listed.items, namespace, now)
        }
    };
    screen.page(&page);
    Ok(())
}

/// All that the page of a tenant is made of. What may not be read is not shown, and that is said.
async fn see(cluster: &Cluster, tenant: DocumentTenant) -> Seen {
    let name = tenant.name_any();
    let (logins, keys, signing_keys) = (
        names::credentials_secret(&name),
        names::api_keys_secret(&name),
        names::signing_keys_secret(&name),
    );
    let of_issuer = async {
        tenant.spec.api.auth.issuer.as_ref()?;
        Some(issued(cluster, &signing_keys).await)
    };
    let (logins, keys, signing_keys, events) = tokio::join!(
        issued(cluster, &logins),
        issued(cluster, &keys),
        of_issuer,
        events(cluster, &tenant),
    );
    Seen {
        tenant,
        logins,
        keys,
        signing_keys,
        events,
    }
}

/// When a Secret's content was issued and rotated; its content is not read.
async fn issued(cluster: &Cluster, secret: &str) -> Issued {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    match secrets.get_metadata_opt(secret).await {
        Ok(Some(secret)) => Issued::read(&secret.metadata),
        Ok(None) => Issued::NotYet,
        Err(_) => Issued::Hidden,
    }
}

async fn events(cluster: &Cluster, tenant: &DocumentTenant) -> Option<Vec<Event>> {
    let events: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let about = format!(
        "involvedObject.kind=DocumentTenant,involvedObject.name={},involvedObject.uid={}",
        tenant.name_any(),
        tenant.uid().unwrap_or_default()
    );
    let listed = events.list(&ListParams::default().fields(&about)).await;
    listed.ok().map(|list| list.items)
}
