//! What happens to a client's schema when the client or its tenant goes.

use crate::lock::{forget_locks, lock};
use crate::quote::{identifier, literal};
use crate::{Identity, MIGRATIONS_TABLE, State, Workload};

/// Milliseconds that a session has to end once it is told to.
const PATIENCE: u32 = 5000;

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was done is done.
    Commit,
    /// Nothing was done, but for finding out whether it can be.
    Rollback,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
        }
    }
}

/// Keeps the data and takes away the access: neither role can log in any more, who is logged in no longer is, and
/// the registry says that the schema is retained. Does nothing to a schema of another tenant.
#[must_use]
pub fn retain(identity: &Identity, tenant_uid: &str) -> String {
    let schema = literal(&identity.schema);
    let retained = format!(
        "    UPDATE docket.clients SET state = 'Retained', retained_at = now() WHERE schema_name = {schema};"
    );
    shut_out(identity, tenant_uid) + &guarded(identity, tenant_uid, &retained)
}

/// Takes the logins of both roles, and ends their sessions. Does nothing to a schema of another tenant.
#[must_use]
pub fn shut_out(identity: &Identity, tenant_uid: &str) -> String {
    let each = |statement: fn(&str) -> String| {
        let statements = identity.roles().map(|role| statement(&role));
        guarded(identity, tenant_uid, statements.concat().trim_end())
    };
    // Who is told to go before nobody can come would come again.
    each(without_login) + &each(without_sessions)
}

/// Takes the login of the role that `identity` no longer uses. Does nothing to a schema of another
/// tenant.
#[must_use]
pub fn retire(identity: &Identity, tenant_uid: &str) -> String {
    let role = identity.rotated().role;
    // Until when a password was valid is kept by Postgres: so is the time from which sessions are over.
    let retired = format!(
        "    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name} AND rolcanlogin) THEN
      EXECUTE format('ALTER ROLE %I WITH NOLOGIN VALID UNTIL %L', {name}, now());
    END IF;",
        name = literal(&role),
    );
    guarded(identity, tenant_uid, &retired)
}

/// Ends the sessions of a role that was retired so many seconds ago; notes that there are none where that is so.
/// Does nothing to a schema of another tenant.
#[must_use]
pub fn end_sessions(identity: &Identity, tenant_uid: &str, seconds: u64) -> String {
    let role = identity.rotated().role;
    let ended = format!(
        "    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name} AND NOT rolcanlogin
        AND rolvaliduntil <= now() - interval '{seconds} seconds') THEN
{without_sessions}    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usename = {name}) THEN
      ALTER ROLE {role} VALID UNTIL 'infinity';
    END IF;",
        name = literal(&role),
        role = identifier(&role),
        without_sessions = without_sessions(&role),
    );
    guarded(identity, tenant_uid, &ended)
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

/// Only members of a role may end its sessions. They are waited for; which there are is read anew afterwards.
fn without_sessions(role: &str) -> String {
    format!(
        "    IF EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usename = {name}) THEN
      GRANT {role} TO CURRENT_USER;
      PERFORM pg_catalog.pg_terminate_backend(pid, {PATIENCE}) FROM pg_catalog.pg_stat_activity WHERE usename = {name};
      REVOKE {role} FROM CURRENT_USER;
      PERFORM pg_catalog.pg_stat_clear_snapshot();
    END IF;
",
        name = literal(role),
        role = identifier(role),
    )
}

/// Takes from a role what it owns and may do in this database, which only its members may.
fn without_belongings(role: &str) -> String {
    let role = identifier(role);
    format!("GRANT {role} TO CURRENT_USER; DROP OWNED BY {role}; REVOKE {role} FROM CURRENT_USER;")
}

/// Drops the schema with all its data, and notes that its roles are left. It fails where anything of somebody else
/// depends on it. Does nothing to a schema of another tenant.
#[must_use]
pub fn delete(identity: &Identity, tenant_uid: &str, end: End) -> String {
    let tolerated = |role: &String| {
        format!(
            "    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN
      BEGIN
        {}
      EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
      END;
    END IF;
",
            literal(role),
            without_belongings(role),
        )
    };
    let belongings = identity.roles().each_ref().map(tolerated).concat();
    let statements = format!(
        "{belongings}    EXECUTE coalesce((
      SELECT 'DROP TABLE ' || string_agg(relation.oid::regclass::text, ', ')
      FROM pg_catalog.pg_class AS relation
      JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
      WHERE namespace.nspname = {schema_literal} AND relation.relkind IN ('r', 'p')
    ), 'SELECT');
    DROP SCHEMA IF EXISTS {schema};
    UPDATE docket.clients SET state = 'Deleted' WHERE schema_name = {schema_literal};
    INSERT INTO docket.deleted_clients (schema_name, tenant_uid) VALUES ({schema_literal}, {uid}) ON CONFLICT DO NOTHING;",
        uid = literal(tenant_uid),
        schema = identifier(&identity.schema),
        schema_literal = literal(&identity.schema),
    );
    transaction(identity, tenant_uid, State::Active, &statements, end)
}

/// Drops the roles of a client whose schema is dropped, and its row of the registry. It fails where anything depends
/// on them. Does nothing to those of another tenant.
#[must_use]
pub fn delete_roles(identity: &Identity, tenant_uid: &str) -> String {
    let drop = |role: &String| {
        format!(
            "    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN
      {}
      DROP ROLE {};
    END IF;
",
            literal(role),
            without_belongings(role),
            identifier(role),
        )
    };
    let roles = identity.roles().each_ref().map(drop).concat();
    let statements = format!(
        "{roles}    DELETE FROM docket.clients WHERE schema_name = {schema};
    {forget_locks}",
        schema = literal(&identity.schema),
        forget_locks = forget_locks(identity),
    );
    transaction(
        identity,
        tenant_uid,
        State::Deleted,
        &statements,
        End::Commit,
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
/// the client's content from then on. It fails where anything of somebody else depends on them. Does nothing to a
/// schema of another tenant.
#[must_use]
pub fn drop_workload(
    identity: &Identity,
    tenant_uid: &str,
    workload: &Workload,
    content: &str,
    end: End,
) -> String {
    let statements = format!(
        "    SET LOCAL search_path = {schema};
    {drop}
    DELETE FROM {MIGRATIONS_TABLE} WHERE workload = {name};
    UPDATE docket.clients SET content = {content} WHERE schema_name = {schema_literal};",
        schema = identifier(&identity.schema),
        drop = workload.drop.trim_end(),
        name = literal(workload.name),
        content = literal(content),
        schema_literal = literal(&identity.schema),
    );
    transaction(identity, tenant_uid, State::Active, &statements, end)
}

/// `statements` in one transaction, run only while the schema is in use by the tenant `tenant_uid`.
fn guarded(identity: &Identity, tenant_uid: &str, statements: &str) -> String {
    transaction(identity, tenant_uid, State::Active, statements, End::Commit)
}

/// `statements` in one transaction, run only while the registry says that the schema is the tenant's and in `state`.
fn transaction(
    identity: &Identity,
    tenant_uid: &str,
    state: State,
    statements: &str,
    end: End,
) -> String {
    format!(
        "BEGIN;
{lock}
DO $docket$ BEGIN
  IF EXISTS (SELECT FROM docket.clients WHERE schema_name = {schema} AND tenant_uid = {uid} AND state = '{state}') THEN
{statements}
  END IF;
END $docket$;
{end};
",
        lock = lock(identity),
        schema = literal(&identity.schema),
        uid = literal(tenant_uid),
        state = state.as_str(),
        end = end.as_str(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn retain_takes_login_and_sessions_and_keeps_the_data() {
        insta::assert_snapshot!(retain(&Identity::of("acme", "acme", "globex"), UID));
    }

    #[test]
    fn retire_takes_the_login_of_the_role_that_is_not_in_use() {
        let identity = Identity::of("acme", "acme", "globex").rotated();
        insta::assert_snapshot!(retire(&identity, UID));
    }

    #[test]
    fn sessions_of_the_role_that_is_not_in_use_end_after_a_while() {
        let identity = Identity::of("acme", "acme", "globex").rotated();
        insta::assert_snapshot!(end_sessions(&identity, UID, 300));
    }

    #[test]
    fn a_workload_that_is_dropped_takes_its_tables_and_its_versions_along() {
        let documents = crate::workload("documents").expect("documents");
        let identity = Identity::of("acme", "acme", "globex");
        let script = drop_workload(&identity, UID, documents, "{}", End::Commit);
        insta::assert_snapshot!(script);
    }

    #[test]
    fn delete_drops_the_schema_and_then_roles_and_registry_row() {
        let identity = Identity::of("acme", "acme", "globex");
        let script = delete(&identity, UID, End::Commit) + &delete_roles(&identity, UID);
        insta::assert_snapshot!(script);
    }

    #[test]
    fn a_rehearsal_differs_from_the_deed_in_its_end_alone() {
        let identity = Identity::of("acme", "acme", "globex");
        let rehearsal = delete(&identity, UID, End::Rollback);
        let deed = delete(&identity, UID, End::Commit);
        assert_eq!(rehearsal.replace("ROLLBACK;", "COMMIT;"), deed);
        assert_ne!(rehearsal, deed);
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
}
