//! One transaction that makes a client's role, schema and grants, or brings them up to date.

use crate::quote::{identifier, literal};
use crate::{Identity, MIGRATIONS, MIGRATIONS_TABLE, Owner, State};

/// Connections that one client's role may hold: four for each of fifty pods, and for those that
/// replace them.
const CONNECTION_LIMIT: u32 = 256;

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
    /// Version that the schema has now; 0 for one that does not exist.
    pub version: i32,
}

/// The transaction, as one text for the simple query protocol: one round trip, all or nothing.
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
    let migrations = migrations_after(wanted.version);
    let values = [
        &wanted.identity.schema,
        &wanted.identity.role,
        &owner.namespace,
        &owner.tenant,
        &owner.tenant_uid,
        &owner.client,
        State::Active.as_str(),
        wanted.credential_hash,
    ]
    .map(literal)
    .join(", ");
    format!(
        "BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('docket:' || {schema_literal}, 0));
DO $docket$ BEGIN
  IF EXISTS (SELECT FROM docket.clients WHERE schema_name = {schema_literal} AND tenant_uid <> {uid} AND state = 'Active') THEN
    RAISE EXCEPTION 'schema % belongs to another tenant', {schema_literal};
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {role_literal}) THEN
    CREATE ROLE {role};
  END IF;
END $docket$;
ALTER ROLE {role} WITH LOGIN NOINHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT {CONNECTION_LIMIT} PASSWORD {verifier};
ALTER ROLE {role} SET search_path = {schema};
CREATE SCHEMA IF NOT EXISTS {schema};
SET LOCAL search_path = {schema};
CREATE TABLE IF NOT EXISTS {MIGRATIONS_TABLE} (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
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
REVOKE INSERT, UPDATE, DELETE ON {MIGRATIONS_TABLE} FROM {role};
INSERT INTO docket.clients (schema_name, role_name, namespace, tenant, tenant_uid, client, state, credential_hash)
VALUES ({values})
ON CONFLICT (schema_name) DO UPDATE SET
    role_name = excluded.role_name,
    tenant_uid = excluded.tenant_uid,
    state = excluded.state,
    credential_hash = excluded.credential_hash,
    retained_at = NULL;
COMMIT;
",
        verifier = literal(wanted.verifier),
    )
}

fn migrations_after(version: i32) -> String {
    MIGRATIONS
        .iter()
        .filter(|migration| migration.version > version)
        .map(|migration| {
            format!(
                "{}INSERT INTO {MIGRATIONS_TABLE} (version, name) VALUES ({}, {});\n",
                migration.sql,
                migration.version,
                literal(migration.name),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LATEST_VERSION;

    fn script(version: i32) -> String {
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
            version,
        })
    }

    #[test]
    fn a_new_client_gets_role_schema_migrations_grants_and_its_registry_row_in_one_transaction() {
        insta::assert_snapshot!(script(0));
    }

    #[test]
    fn a_client_at_the_latest_version_gets_no_migration() {
        assert!(!script(LATEST_VERSION).contains("CREATE TABLE document_metadata"));
    }
}
