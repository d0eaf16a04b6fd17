mod decisions;

use docket_schema::{Applied, latest_version};

use super::*;
use crate::content_locations::ContentLocation;
use crate::database::Registered;

const OURS: &str = "uid-of-this-tenant";
const OTHERS: &str = "uid-of-another-tenant";

fn registered(tenant_uid: &str, state: State) -> ClientRow {
    ClientRow {
        schema_exists: true,
        role_exists: true,
        logins: vec!["s".into()],
        ending: Vec::new(),
        foreign_roles: Vec::new(),
        connection_limit: Some(60),
        server_connections: 397,
        applied: Applied::all(&["documents"]),
        refused: Vec::new(),
        deleted_for: Vec::new(),
        registered: Some(Registered {
            tenant: "acme/acme".into(),
            client: "globex".into(),
            tenant_uid: tenant_uid.into(),
            state,
            role: "s".into(),
            credential_hash: "current".into(),
            content: content("acme"),
        }),
    }
}

fn content(bucket: &str) -> ContentLocations {
    let location = ContentLocation {
        bucket: bucket.into(),
        endpoint: "http://s3".into(),
        region: "us-east-1".into(),
        secret: "docket-s3".into(),
    };
    ContentLocations::one("documents", location)
}

fn decide(row: &ClientRow, adopt: bool) -> Result<Option<Provisioning>, &'static str> {
    decide_after(0, row, adopt)
}

fn decide_after(
    version_on_status: i32,
    row: &ClientRow,
    adopt: bool,
) -> Result<Option<Provisioning>, &'static str> {
    Claim {
        client: "globex",
        tenant: "acme/acme",
        schema: "s",
        role: "s",
        tenant_uid: OURS,
        credential_hash: "current",
        version_on_status,
        adopt,
        workloads: &["documents"],
        locations: &content("acme"),
        connections: ConnectionLimit::new(3, 397),
        admin: "admin",
        is_found: false,
    }
    .decide(row)
    .map_err(|error| error.problem().reason)
}

#[test]
fn a_client_that_nothing_is_known_of_is_created() {
    assert_eq!(
        decide(&ClientRow::default(), false),
        Ok(Some(Provisioning::Create))
    );
}

#[test]
fn a_client_that_is_as_it_should_be_needs_nothing() {
    assert_eq!(decide(&registered(OURS, State::Active), false), Ok(None));
}

#[test]
fn what_differs_is_brought_up_to_date() {
    let changes: [fn(&mut ClientRow); 5] = [
        |row| row.schema_exists = false,
        |row| row.logins.clear(),
        |row| row.applied = Applied::all(&[]),
        |row| row.registered.as_mut().expect("registered").content = ContentLocations::default(),
        |row| row.registered.as_mut().expect("registered").credential_hash = "old".into(),
    ];
    for change in changes {
        let mut row = registered(OURS, State::Active);
        change(&mut row);
        assert_eq!(
            decide(&row, false),
            Ok(Some(Provisioning::Update)),
            "{row:?}"
        );
    }
}

#[test]
fn retained_data_is_used_only_by_a_client_that_says_adopt() {
    for uid in [OURS, OTHERS] {
        let row = registered(uid, State::Retained);
        assert_eq!(decide(&row, false), Err("RetainedDataFound"));
        assert_eq!(decide(&row, true), Ok(Some(Provisioning::Adopt)));
    }
}

#[test]
fn data_that_was_retained_for_another_client_is_not_adopted_wherever_a_status_says_it_is() {
    for (tenant, client) in [("acme/another", "globex"), ("acme/acme", "initech")] {
        let mut row = registered(OURS, State::Retained);
        let known = row.registered.as_mut().expect("registered");
        (known.tenant, known.client) = (tenant.into(), client.into());
        for adopt in [false, true] {
            let decided = decide(&row, adopt);
            assert_eq!(decided, Err("RetainedForAnother"), "{tenant} {client}");
        }
    }
}

#[test]
fn data_that_another_tenant_uses_is_never_taken_over() {
    for adopt in [false, true] {
        assert_eq!(
            decide(&registered(OTHERS, State::Active), adopt),
            Err("ClaimedByAnotherTenant")
        );
    }
}

#[test]
fn a_schema_or_role_that_is_not_in_the_registry_is_never_touched() {
    for (schema_exists, role_exists) in [(true, false), (false, true)] {
        let row = ClientRow {
            schema_exists,
            role_exists,
            ..ClientRow::default()
        };
        assert_eq!(decide(&row, true), Err("SchemaNotOurs"));
    }
}

#[test]
fn a_role_that_may_not_be_changed_is_a_problem_once_it_has_to_be() {
    let mut row = registered(OURS, State::Active);
    row.foreign_roles = vec!["s".into()];
    assert_eq!(decide(&row, false), Ok(None));
    row.logins.clear();
    assert_eq!(decide(&row, false), Err("AdminOptionMissing"));
}

#[test]
fn a_schema_newer_than_the_operator_is_refused() {
    let mut row = registered(OURS, State::Active);
    let version = latest_version("documents") + 1;
    row.applied.add("documents", version, Vec::new());
    assert_eq!(decide(&row, true), Err("SchemaTooNew"));
}

#[test]
fn a_migration_that_is_not_what_it_was_is_refused() {
    let mut row = registered(OURS, State::Active);
    row.applied.add("documents", 1, b"another".to_vec());
    assert_eq!(decide(&row, false), Err("MigrationChanged"));
}

#[test]
fn content_in_another_bucket_is_refused_whether_it_was_taken_out_or_is_adopted() {
    for (state, adopt) in [(State::Active, false), (State::Retained, true)] {
        let mut row = registered(OURS, state);
        row.registered.as_mut().expect("registered").content = content("elsewhere");
        assert_eq!(decide(&row, adopt), Err("ContentElsewhere"));
    }
}

#[test]
fn a_schema_that_was_there_and_is_gone_is_never_replaced_by_an_empty_one() {
    let mut dropped = registered(OURS, State::Active);
    dropped.schema_exists = false;
    for row in [ClientRow::default(), dropped] {
        assert_eq!(decide_after(1, &row, true), Err("SchemaLost"), "{row:?}");
    }
    assert_eq!(
        decide_after(1, &registered(OURS, State::Active), false),
        Ok(None)
    );
}
