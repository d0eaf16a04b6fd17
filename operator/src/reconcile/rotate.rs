//! Credentials that overlap: what no pod uses any more goes, and what every pod knows is handed out.

use docket_crds::DocumentTenant;

use super::apply::{self, Change};
use crate::build;
use crate::context::Context;
use crate::database::Database;
use crate::error::Result;
use crate::identified::Identified;
use crate::validated_tenant::ValidatedTenant;

/// The end of a rotation, once all pods are of the current template and none is ending.
pub(super) async fn finish(
    tenant: &Identified<DocumentTenant>,
    wanted: &mut ValidatedTenant,
    database: &Database,
    ctx: &Context,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let clients = wanted.clients.iter_mut();
    for client in clients.filter(|client| client.retiring) {
        let role = client.identity.rotated().role;
        // Somebody else may use it; who is logged in stays so, and would not come back.
        if !database.has_sessions(&role).await? {
            database.retire(&client.identity, &wanted.uid).await?;
            client.retiring = false;
            changes.push(Change::new("retired", format!("login {role}")));
        }
    }
    if wanted.clients.iter().any(|client| client.keys.hands_out()) {
        let mut handed_out = wanted.clone();
        for client in &mut handed_out.clients {
            client.keys.hand_out();
        }
        let secret = build::secrets(&handed_out).api_keys;
        changes.extend(apply::secret(tenant, &handed_out, secret, ctx).await?);
    }
    Ok(changes)
}
