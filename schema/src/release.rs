//! What happens to a client's schema when the client or its tenant goes.

use crate::Identity;
use crate::quote::{identifier, literal};

/// Keeps the data and takes away the access: the role can no longer log in, the registry says
/// that the schema is retained. Does nothing to a schema of another tenant.
#[must_use]
pub fn retain(identity: &Identity, tenant_uid: &str) -> String {
    guarded(
        identity,
        tenant_uid,
        &format!(
            "    ALTER ROLE {role} WITH NOLOGIN;
    UPDATE docket.clients SET state = 'Retained', retained_at = now() WHERE schema_name = {schema};",
            role = identifier(&identity.role),
            schema = literal(&identity.schema),
        ),
    )
}

/// Drops the schema with all its data, and the role. Does nothing to a schema of another tenant.
#[must_use]
pub fn delete(identity: &Identity, tenant_uid: &str) -> String {
    guarded(
        identity,
        tenant_uid,
        &format!(
            "    DROP SCHEMA IF EXISTS {schema} CASCADE;
    DROP ROLE IF EXISTS {role};
    DELETE FROM docket.clients WHERE schema_name = {schema_literal};",
            schema = identifier(&identity.schema),
            role = identifier(&identity.role),
            schema_literal = literal(&identity.schema),
        ),
    )
}

/// `statements` in one transaction, run only while the schema is in use by the tenant `tenant_uid`.
fn guarded(identity: &Identity, tenant_uid: &str, statements: &str) -> String {
    let schema = literal(&identity.schema);
    let uid = literal(tenant_uid);
    format!(
        "BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('docket:' || {schema}, 0));
DO $docket$ BEGIN
  IF EXISTS (SELECT FROM docket.clients WHERE schema_name = {schema} AND tenant_uid = {uid} AND state = 'Active') THEN
{statements}
  END IF;
END $docket$;
COMMIT;
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn retain_takes_the_login_and_keeps_the_data() {
        insta::assert_snapshot!(retain(&Identity::of("acme", "acme", "globex"), UID));
    }

    #[test]
    fn delete_drops_schema_role_and_registry_row() {
        insta::assert_snapshot!(delete(&Identity::of("acme", "acme", "globex"), UID));
    }
}
