//! A role may give itself another password, which nobody can read: who logs in with the one that was issued finds
//! out (ADR 0045).

use docket_crds::DocumentTenant;
use docket_schema::State;
use futures::{StreamExt, stream};

use super::dereference::{Issued, identities};
use crate::context::Context;
use crate::credentials::secret_value::fingerprint;
use crate::database::{Database, Inspection};
use crate::identified::Identified;

/// Logins that are tried at a time.
const AT_A_TIME: usize = 4;

/// Tries the logins that `inspection` says are as they were issued, and takes from it what is not so: they are then
/// made again.
pub(super) async fn check(
    tenant: &Identified<DocumentTenant>,
    inspection: &mut Inspection,
    issued: &Issued,
    database: &Database,
    ctx: &Context,
) {
    let logins = identities(tenant)
        .into_iter()
        .filter_map(|(client, identity)| {
            let row = inspection.get(&identity.schema)?;
            let registered = row.registered.as_ref()?;
            let password = issued.text(&client.name)?.to_owned();
            let is_whole = registered.state == State::Active
                && row.logins.contains(&registered.role)
                && registered.credential_hash == fingerprint(&password.clone().into());
            is_whole.then(|| (identity.schema, registered.role.clone(), password))
        });
    let logins: Vec<(String, String, String)> = logins.collect();
    let tried = stream::iter(logins).map(async |(schema, role, password)| {
        let refused = database.refuses(&role, &password).await;
        refused.then_some((schema, role))
    });
    let changed: Vec<_> = tried.buffer_unordered(AT_A_TIME).collect().await;
    for (schema, role) in changed.into_iter().flatten() {
        let row = inspection.get_mut(&schema);
        if let Some(registered) = row.and_then(|row| row.registered.as_mut()) {
            registered.credential_hash.clear();
        }
        let note = format!(
            "The role {role} had another password than it was given, and gets that again. If nobody of yours changed \
             it, somebody has its login: set the annotation {} to a new value.",
            docket_crds::annotations::REVOKE
        );
        ctx.events.warn(tenant, "PasswordReset", note).await;
    }
}
