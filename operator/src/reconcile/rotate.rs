//! Credentials that overlap: what no pod uses any more goes, and what every pod knows is handed out.

use std::time::Duration;

use docket_crds::DocumentTenant;

use super::apply::{self, Change};
use crate::build;
use crate::context::Context;
use crate::database::Database;
use crate::error::Result;
use crate::identified::Identified;
use crate::validated_tenant::{Retiring, ValidatedTenant};

/// How long who is logged in by a login that no pod uses may stay so: a report that somebody runs by hand ends in
/// this time, and whoever stole it has no more.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// Lets nobody be logged in as a client any more whose logins are revoked: before new ones are made, so that an end
/// that comes between leaves none that works.
pub(super) async fn revoke(wanted: &ValidatedTenant, database: &Database) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    if wanted.revoked {
        for client in &wanted.clients {
            database.shut_out(&client.identity, &wanted.uid).await?;
            let what = format!("logins of schema {}", client.identity.schema);
            changes.push(Change::new("revoked", what));
        }
    }
    Ok(changes)
}

/// Ends what sessions of retired logins there still are after a while, whatever the pods do.
pub(super) async fn end_sessions(wanted: &mut ValidatedTenant, database: &Database) -> Result<()> {
    let clients = wanted.clients.iter_mut();
    for client in clients.filter(|client| client.retiring == Some(Retiring::Sessions)) {
        let role = client.identity.rotated().role;
        database
            .end_sessions(&client.identity, &wanted.uid, GRACE)
            .await?;
        if !database.has_sessions(&role).await? {
            client.retiring = None;
        }
    }
    Ok(())
}

/// The end of a rotation, once all pods are of the current template and none is ending.
pub(super) async fn finish(
    tenant: &Identified<DocumentTenant>,
    wanted: &mut ValidatedTenant,
    database: &Database,
    ctx: &Context,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let clients = wanted.clients.iter_mut();
    for client in clients.filter(|client| client.retiring == Some(Retiring::Login)) {
        database.retire(&client.identity, &wanted.uid).await?;
        client.retiring = Some(Retiring::Sessions);
        let what = format!("login {}", client.identity.rotated().role);
        changes.push(Change::new("retired", what));
    }
    end_sessions(wanted, database).await?;
    if wanted.clients.iter().any(|client| client.keys.hands_out()) {
        let mut handed_out = wanted.clone();
        for client in &mut handed_out.clients {
            client.keys.hand_out();
        }
        let secret = build::secrets(&handed_out).api_keys;
        changes.extend(apply::secret(tenant, secret, ctx).await?);
    }
    Ok(changes)
}
