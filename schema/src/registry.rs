//! The registry: which tenant a schema belongs to, kept in the database beside the schemas.
//!
//! It is what tells a tenant's own data from data that an earlier tenant of the same name left, or
//! that another cluster uses. Each row changes in the same transaction as what it describes.

/// The tenant and client that a schema belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Namespace of the tenant.
    pub namespace: String,
    /// Name of the tenant.
    pub tenant: String,
    /// `metadata.uid` of the tenant: another one of the same name has another uid.
    pub tenant_uid: String,
    /// Name of the client.
    pub client: String,
}

/// What the registry says of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its tenant uses it.
    Active,
    /// Its tenant or client is gone and the data was kept.
    Retained,
    /// The data is gone with the client, and a role is left that could not be dropped.
    Deleted,
}

impl State {
    /// The word in the registry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Retained => "Retained",
            Self::Deleted => "Deleted",
        }
    }

    /// The state that `word` stands for; `None` when there is no such state.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Retained, Self::Deleted]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// What is read of a client whether there is a registry or not.
macro_rules! read_clients {
    () => {
        "
SELECT asked.schema_name,
       EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = asked.schema_name) AS schema_exists,
       EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN (asked.schema_name, asked.schema_name || 'x')) AS role_exists,
       ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles
             WHERE rolname IN (asked.schema_name, asked.schema_name || 'x') AND rolcanlogin) AS logins,
       ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles
             WHERE rolname IN (asked.schema_name, asked.schema_name || 'x') AND NOT rolcanlogin
               AND isfinite(rolvaliduntil)) AS ending,
       -- Since version 16 CREATEROLE is good for roles that one made oneself, or was given.
       ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles
             WHERE rolname IN (asked.schema_name, asked.schema_name || 'x')
               AND current_setting('server_version_num')::int >= 160000
               AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION')) AS foreign_roles,
       current_setting('transaction_read_only')::bool AS read_only,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0) AS server_connections,
       "
    };
}

/// Makes the registry and the operator's locks; run once a connection pool, safe to run by many at once: who comes
/// second waits for the first by the names of what it makes, and takes what is there then. What was deleted is
/// remembered: else a database that lost it, or another one, would look the same.
pub const BOOTSTRAP: &str = "
DO $docket$ BEGIN
  BEGIN
    CREATE SCHEMA IF NOT EXISTS docket;
  EXCEPTION WHEN unique_violation OR duplicate_schema THEN NULL;
  END;
  BEGIN
    CREATE TABLE IF NOT EXISTS docket.clients (
        schema_name     text PRIMARY KEY,
        role_name       text NOT NULL,
        namespace       text NOT NULL,
        tenant          text NOT NULL,
        tenant_uid      text NOT NULL,
        client          text NOT NULL,
        state           text NOT NULL,
        credential_hash text NOT NULL,
        content         text NOT NULL DEFAULT '{}',
        created_at      timestamptz NOT NULL DEFAULT now(),
        retained_at     timestamptz
    );
  EXCEPTION WHEN unique_violation OR duplicate_table THEN NULL;
  END;
  ALTER TABLE docket.clients DROP CONSTRAINT IF EXISTS clients_state_check;
  ALTER TABLE docket.clients ADD CONSTRAINT clients_state_check CHECK (state IN ('Active', 'Retained', 'Deleted'));
  BEGIN
    CREATE TABLE IF NOT EXISTS docket.locks (name text PRIMARY KEY);
  EXCEPTION WHEN unique_violation OR duplicate_table THEN NULL;
  END;
  BEGIN
    CREATE TABLE IF NOT EXISTS docket.deleted_clients (
        schema_name text,
        tenant_uid  text,
        deleted_at  timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (schema_name, tenant_uid)
    );
  EXCEPTION WHEN unique_violation OR duplicate_table THEN NULL;
  END;
END $docket$;
";

/// Query for all that decides what to do with a client's schema; `$1` is a `text[]` of schema
/// names. Rows of `(schema_name text, schema_exists bool, role_exists bool, logins text[], read_only
/// bool, ending text[], foreign_roles text[], connection_limit int, server_connections int, deleted_for text[], tenant_uid
/// text, namespace text, tenant text, client text, state text, role_name text, credential_hash text, content text)`; the
/// last eight are null for a schema that the registry does not know. `logins` are those of a client's two roles that can
/// log in, `ending` those that were retired and may have sessions yet, `foreign_roles` those that the operator may not
/// change, `connection_limit` is that of the role in use, `server_connections` are those that the server has for who is
/// no superuser, and `deleted_for` the uids of tenants whose schema of that name was deleted.
pub const READ_CLIENTS: &str = concat!(
    read_clients!(),
    "ARRAY(SELECT gone.tenant_uid FROM docket.deleted_clients AS gone
             WHERE gone.schema_name = asked.schema_name) AS deleted_for,
       known.tenant_uid, known.namespace, known.tenant, known.client, known.state, known.role_name,
       known.credential_hash, known.content,
       (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = known.role_name) AS connection_limit
FROM unnest($1::text[]) AS asked(schema_name)
LEFT JOIN docket.clients AS known USING (schema_name)"
);

/// The same where there is no registry: its columns are null.
pub const READ_UNREGISTERED: &str = concat!(
    read_clients!(),
    "'{}'::text[] AS deleted_for,
       NULL::text AS tenant_uid, NULL::text AS namespace, NULL::text AS tenant, NULL::text AS client, NULL::text AS state,
       NULL::text AS role_name, NULL::text AS credential_hash, NULL::text AS content,
       NULL::int AS connection_limit
FROM unnest($1::text[]) AS asked(schema_name)"
);

/// Query for what the database calls itself, one `text`: the server that `initdb` made and the database there. A dump
/// that is restored elsewhere calls itself something else; a copy of a server's files does not.
pub const READ_DATABASE: &str = "SELECT server.system_identifier::text || '-' || known.oid::text AS database \
FROM pg_catalog.pg_control_system() AS server, pg_catalog.pg_database AS known \
WHERE known.datname = pg_catalog.current_database()";

/// Query for whether somebody is logged in as the role `$1`: one `bool`.
pub const READ_SESSIONS: &str =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usename = $1)";
