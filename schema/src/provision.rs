//! One transaction that makes a client's role, schema and grants, or brings them up to date.

use crate::applied::insert;
use crate::lock::lock;
use crate::migrations::{RIGHTS, RIGHTS_VERSION, of};
use crate::quote::{identifier, literal};
use crate::{Applied, Identity, MIGRATIONS_TABLE, Owner, State};

/// What a client's schema is to become.
#[derive(Clone, Debug)]
pub struct Provision<'a> {
    /// The client's names in Postgres.
    pub identity: &'a Identity,
    /// Whom the schema belongs to from now on.
    pub owner: &'a Owner,
    /// SCRAM-SHA-256 verifier of the role's password (RFC 5803): the password stays out of the
    /// statement, and so out of the server's log.
    pub verifier: &'a str,
    /// Hash that tells whether the role has the password of the tenant's Secret.
    pub credential_hash: &'a str,
    /// Names of the workloads whose tables it is to have, beside those that all share.
    pub workloads: &'a [&'a str],
    /// The migrations that it has had; none of one that does not exist.
    pub applied: &'a Applied,
    /// What the registry is to say of the client's content outside the database.
    pub content: &'a str,
    /// Connections that the role may hold at once.
    pub connections: u32,
}

/// The transaction, as one text for the simple query protocol: one round trip, all or nothing.
///
/// A migration outside of transactions that is next ends it: see [`Applied::outside`].
///
/// It fails when another tenant uses the schema, whatever was read before. Tables are found by what
/// depends on the schema: `ALL TABLES IN SCHEMA` reads the tables of all schemas, five times.
#[must_use]
pub fn provision(wanted: &Provision<'_>) -> String {
    let schema = identifier(&wanted.identity.schema);
    let role = identifier(&wanted.identity.role);
    let schema_literal = literal(&wanted.identity.schema);
    let role_literal = literal(&wanted.identity.role);
    let owner = wanted.owner;
    let uid = literal(&owner.tenant_uid);
    let migrations = migrations(wanted);
    let values = [
        &wanted.identity.schema,
        &wanted.identity.role,
        &owner.namespace,
        &owner.tenant,
        &owner.tenant_uid,
        &owner.client,
        State::Active.as_str(),
        wanted.credential_hash,
        wanted.content,
    ]
    .map(literal)
    .join(", ");
    format!(
        "BEGIN;
{lock}
DO $docket$ BEGIN
  IF EXISTS (SELECT FROM docket.clients WHERE schema_name = {schema_literal} AND tenant_uid <> {uid} AND state = 'Active') THEN
    RAISE EXCEPTION 'schema % belongs to another tenant', {schema_literal};
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {role_literal}) THEN
    CREATE ROLE {role};
  END IF;
END $docket$;
ALTER ROLE {role} WITH LOGIN NOINHERIT VALID UNTIL 'infinity' CONNECTION LIMIT {connections} PASSWORD {verifier};
ALTER ROLE {role} SET search_path = {schema};
CREATE SCHEMA IF NOT EXISTS {schema};
SET LOCAL search_path = {schema};
CREATE TABLE IF NOT EXISTS {MIGRATIONS_TABLE} (
    workload   text,
    version    integer,
    name       text NOT NULL,
    checksum   bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workload, version)
);
{migrations}GRANT USAGE ON SCHEMA {schema} TO {role};
DO $docket$ BEGIN
  EXECUTE (
    SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', string_agg(relation.oid::regclass::text, ', '), {role_literal})
    FROM pg_catalog.pg_namespace AS namespace
    JOIN pg_catalog.pg_depend AS part ON part.refclassid = 'pg_catalog.pg_namespace'::regclass
      AND part.refobjid = namespace.oid AND part.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class AS relation ON relation.oid = part.objid AND relation.relkind = 'r'
    WHERE namespace.nspname = {schema_literal}
  );
END $docket$;
{rights}INSERT INTO {MIGRATIONS_TABLE} (workload, version, name, checksum)
VALUES ('{RIGHTS}', {RIGHTS_VERSION}, '{RIGHTS}', '') ON CONFLICT DO NOTHING;
INSERT INTO docket.clients (schema_name, role_name, namespace, tenant, tenant_uid, client, state, credential_hash, content)
VALUES ({values})
ON CONFLICT (schema_name) DO UPDATE SET
    role_name = excluded.role_name,
    tenant_uid = excluded.tenant_uid,
    state = excluded.state,
    credential_hash = excluded.credential_hash,
    content = excluded.content,
    retained_at = NULL;
DELETE FROM docket.deleted_clients WHERE schema_name = {schema_literal} AND tenant_uid = {uid};
COMMIT;
",
        rights = rights(wanted.workloads, &role),
        lock = lock(wanted.identity),
        connections = wanted.connections,
        verifier = literal(wanted.verifier),
    )
}

/// What a role may do less than with other tables.
fn rights(workloads: &[&str], role: &str) -> String {
    let tables = of(workloads).flat_map(|workload| workload.rights);
    let each = tables.map(|(table, rights)| {
        format!("REVOKE ALL ON {table} FROM {role};\nGRANT {rights} ON {table} TO {role};\n")
    });
    each.collect()
}

fn migrations(wanted: &Provision<'_>) -> String {
    let pending = wanted.applied.in_transaction(wanted.workloads).into_iter();
    let each = pending.map(|(workload, migration)| {
        format!(
            "{}{}",
            migration.in_transaction(),
            insert(workload, migration)
        )
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(workloads: &[&str], applied: &Applied) -> String {
        let identity = Identity::of("acme", "acme", "globex");
        let owner = Owner {
            namespace: "acme".into(),
            tenant: "acme".into(),
            tenant_uid: "11111111-2222-3333-4444-555555555555".into(),
            client: "globex".into(),
        };
        provision(&Provision {
            identity: &identity,
            owner: &owner,
            verifier: "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
            credential_hash: "abc",
            workloads,
            applied,
            content: "{}",
            connections: 60,
        })
    }

    #[test]
    fn a_new_client_gets_role_schema_migrations_grants_and_its_registry_row_in_one_transaction() {
        insta::assert_snapshot!(script(&["documents"], &Applied::default()));
    }

    #[test]
    fn a_client_that_had_all_gets_no_migration() {
        let had = Applied::all(&["documents"]);
        let script = script(&["documents"], &had);
        assert!(!script.contains("CREATE TABLE document_metadata"));
        assert!(!script.contains("CREATE TABLE usage"));
    }

    #[test]
    fn a_client_without_documents_gets_no_table_of_theirs() {
        let script = script(&[], &Applied::default());
        assert!(script.contains("CREATE TABLE usage"));
        assert!(!script.contains("document_"));
    }
}
