//! What happens to a client's schema when the client or its tenant goes.

use crate::quote::{identifier, literal};
use crate::{Identity, MIGRATIONS_TABLE, Workload};

/// Keeps the data and takes away the access: neither role can log in any more, the registry says
/// that the schema is retained. Does nothing to a schema of another tenant.
#[must_use]
pub fn retain(identity: &Identity, tenant_uid: &str) -> String {
    guarded(
        identity,
        tenant_uid,
        &format!(
            "{logins}    UPDATE docket.clients SET state = 'Retained', retained_at = now() WHERE schema_name = {schema};",
            logins = identity.roles().map(|role| without_login(&role)).concat(),
            schema = literal(&identity.schema),
        ),
    )
}

/// Takes the login of the role that `identity` no longer uses. Does nothing to a schema of another
/// tenant.
#[must_use]
pub fn retire(identity: &Identity, tenant_uid: &str) -> String {
    let logins = without_login(&identity.rotated().role);
    guarded(identity, tenant_uid, logins.trim_end())
}

fn without_login(role: &str) -> String {
    format!(
        "    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN
      ALTER ROLE {} WITH NOLOGIN;
    END IF;
",
        literal(role),
        identifier(role),
    )
}

/// Drops the schema with all its data, and both roles. Does nothing to a schema of another tenant.
#[must_use]
pub fn delete(identity: &Identity, tenant_uid: &str) -> String {
    guarded(
        identity,
        tenant_uid,
        &format!(
            "    DROP SCHEMA IF EXISTS {schema} CASCADE;
    DROP ROLE IF EXISTS {roles};
    DELETE FROM docket.clients WHERE schema_name = {schema_literal};
    INSERT INTO docket.deleted_clients (schema_name, tenant_uid) VALUES ({schema_literal}, {uid}) ON CONFLICT DO NOTHING;",
            schema = identifier(&identity.schema),
            uid = literal(tenant_uid),
            roles = identity.roles().map(|role| identifier(&role)).join(", "),
            schema_literal = literal(&identity.schema),
        ),
    )
}

/// Query for how much of the client with the schema `schema` must not be deleted, of `workloads`, whose tables it
/// has: one `bigint`.
///
/// `None` where nothing can be held.
#[must_use]
pub fn count_held(schema: &str, workloads: &[&Workload]) -> Option<String> {
    let held = workloads.iter().filter_map(|workload| workload.held);
    let counts: Vec<String> = held
        .map(|held| format!("(SELECT count(*) FROM {}.{held})", identifier(schema)))
        .collect();
    (!counts.is_empty()).then(|| format!("SELECT {}", counts.join(" + ")))
}

/// Query for what the client with the schema `schema` stores, of all that is counted: one `bigint`.
#[must_use]
pub fn count_stored(schema: &str) -> String {
    format!(
        "SELECT coalesce(sum(amount), 0)::bigint FROM {}.usage",
        identifier(schema)
    )
}

/// Takes away the tables of `workload`, which its tenant no longer runs; `content` is what the registry says of
/// the client's content from then on. Does nothing to a schema of another tenant.
#[must_use]
pub fn drop_workload(
    identity: &Identity,
    tenant_uid: &str,
    workload: &Workload,
    content: &str,
) -> String {
    guarded(
        identity,
        tenant_uid,
        &format!(
            "    SET LOCAL search_path = {schema};
    {drop}
    DELETE FROM {MIGRATIONS_TABLE} WHERE workload = {name};
    UPDATE docket.clients SET content = {content} WHERE schema_name = {schema_literal};",
            schema = identifier(&identity.schema),
            drop = workload.drop.trim_end(),
            name = literal(workload.name),
            content = literal(content),
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
    fn retire_takes_the_login_of_the_role_that_is_not_in_use() {
        let identity = Identity::of("acme", "acme", "globex").rotated();
        insta::assert_snapshot!(retire(&identity, UID));
    }

    #[test]
    fn a_workload_that_is_dropped_takes_its_tables_and_its_versions_along() {
        let documents = crate::workload("documents").expect("documents");
        let identity = Identity::of("acme", "acme", "globex");
        insta::assert_snapshot!(drop_workload(&identity, UID, documents, "{}"));
    }

    #[test]
    fn documents_under_legal_hold_are_counted_and_views_cannot_be_held() {
        let workload = |name| crate::workload(name).expect("a workload");
        let both = [workload("documents"), workload("pageViews")];
        let sql = count_held("acme_globex_1", &both).expect("a query");
        assert_eq!(
            sql,
            "SELECT (SELECT count(*) FROM \"acme_globex_1\".document_metadata WHERE legal_hold)"
        );
        assert_eq!(count_held("acme_globex_1", &both[1..]), None);
    }

    #[test]
    fn delete_drops_schema_role_and_registry_row() {
        insta::assert_snapshot!(delete(&Identity::of("acme", "acme", "globex"), UID));
    }
}
