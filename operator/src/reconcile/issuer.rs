//! A tenant that issues tokens of its own: the keys that it has, and what its servers are told.

use std::num::NonZeroU32;

use docket_contract::{OwnIssuer, SIGNING_KEYS_FILE, SigningKeys as PublishedKeys};
use docket_crds::{ConditionType, DocumentTenant, annotations, names};
use jiff::Timestamp;

use super::dereference::{self, Dereferenced, Issued};
use crate::context::Context;
use crate::credentials::rotation::Asked;
use crate::credentials::secret_value::SecretGenerator;
use crate::credentials::signing_keys::{LastStep, SigningKeys};
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::status::report::api_address;
use crate::validated_tenant::ValidatedIssuer;

/// What a tenant asks for of the keys with which it signs.
pub(super) fn asked(tenant: &Identified<DocumentTenant>) -> Asked {
    let every = &tenant.spec.credentials.signing_key_rotation;
    dereference::asked(tenant, annotations::ROTATE_SIGNING_KEYS, every)
}

/// The keys that were issued; none are looked for where the spec asks for no issuer.
pub(super) async fn issued(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<Issued> {
    if tenant.spec.api.auth.issuer.is_none() {
        return Ok(Issued::default());
    }
    let name = names::signing_keys_secret(tenant.name());
    let asked = asked(tenant);
    let is_at_rest = |known: &Issued| {
        let is_whole = known.entries.contains_key(names::CURRENT);
        let rotated = known.rotated.clone();
        is_whole && !SigningKeys::may_change(&known.entries, &asked, rotated, Timestamp::now())
    };
    dereference::issued(tenant, name, is_at_rest, ctx).await
}

/// The keys as pods read them, as far as the watch has brought it.
pub(super) fn seen(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Option<PublishedKeys> {
    tenant.spec.api.auth.issuer.as_ref()?;
    let name = names::api_name(tenant.name());
    let config = ctx.caches.secrets.get(tenant.namespace(), &name)?;
    serde_json::from_slice(&config.data?.get(SIGNING_KEYS_FILE)?.0).ok()
}

/// What becomes of the issuer at the time `now`, if the spec asks for one, and when it is to be looked at
/// again.
///
/// # Errors
/// When tokens of another issuer, which are accepted too, name it as theirs.
pub(super) fn decide(
    tenant: &Identified<DocumentTenant>,
    seen: &Dereferenced,
    now: Timestamp,
    secrets: &mut dyn SecretGenerator,
) -> Result<(Option<ValidatedIssuer>, Option<Timestamp>)> {
    let Some(own) = own_issuer(tenant) else {
        return Ok((None, None));
    };
    let auth = &tenant.spec.api.auth;
    if auth.jwt.as_ref().is_some_and(|jwt| jwt.issuer == own.url) {
        return Err(Error::Permanent(Problem::new(
            ConditionType::CredentialsReady,
            "IssuerNamedTwice",
            "The tenant's own issuer has the name of spec.api.auth.jwt.issuer; take jwt out, or give \
             spec.api.auth.issuer.url another address.",
        )));
    }
    let keys = SigningKeys::read(&seen.signing_keys.entries, secrets);
    let last = LastStep {
        rotated: seen.signing_keys.rotated.clone(),
        was_rotated: seen.signing_keys.was_rotated,
        is_seen: seen
            .seen_signing_keys
            .as_ref()
            .is_some_and(|seen| keys.are_in(seen)),
    };
    let turn = keys.turn(&asked(tenant), last, now, secrets);
    let issuer = ValidatedIssuer {
        keys: turn.keys,
        rotated: turn.rotated,
    };
    Ok((Some(issuer), turn.next))
}

/// What servers are told of the issuer beside its keys.
pub(super) fn own_issuer(tenant: &Identified<DocumentTenant>) -> Option<OwnIssuer> {
    let issuer = tenant.spec.api.auth.issuer.as_ref()?;
    let has_tls = tenant.spec.api.tls.is_some();
    let in_cluster = || api_address(tenant.name(), tenant.namespace(), has_tls);
    let lifetime = u32::try_from(issuer.lifetime().as_secs()).unwrap_or(u32::MAX);
    Some(OwnIssuer {
        url: issuer.url.clone().unwrap_or_else(in_cluster),
        token_lifetime_seconds: NonZeroU32::new(lifetime).unwrap_or(NonZeroU32::MIN),
    })
}
