//! All that is there of a tenant: its status, its children, its part of the database.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use docket_crds::names::api_name;
use docket_schema::Identity;
use serde_json::{Map, Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::issuer;
use crate::mask::{Mask, decode, readable};
use crate::world::World;

/// Kinds whose objects a tenant may leave behind, as `group/version/resource`.
const KINDS: [&str; 12] = [
    "api/v1/secrets",
    "api/v1/configmaps",
    "api/v1/services",
    "api/v1/serviceaccounts",
    "api/v1/pods",
    "apis/apps/v1/deployments",
    "apis/apps/v1/replicasets",
    "apis/autoscaling/v2/horizontalpodautoscalers",
    "apis/gateway.networking.k8s.io/v1/httproutes",
    "apis/networking.k8s.io/v1/ingresses",
    "apis/networking.k8s.io/v1/networkpolicies",
    "apis/policy/v1/poddisruptionbudgets",
];

/// Clients that the scenarios and generated specs name.
pub(crate) const CLIENTS: [&str; 4] = ["globex", "hooli", "initech", "umbrella"];

/// What is there, masked: equal for two runs that came to the same.
pub(crate) type State = BTreeMap<String, Value>;

/// What is there of the tenant `tenant` and, in the database, of `clients`.
///
/// # Errors
/// The API server or the database does not answer.
pub(crate) async fn take(world: &World, tenant: &str, clients: &[&str]) -> Result<State> {
    let mut objects = State::new();
    for kind in KINDS {
        let (group, resource) = kind.rsplit_once('/').context("a kind has a resource")?;
        let path = format!("/{group}/namespaces/{}/{resource}", world.namespace);
        for object in world.ground.plane.admin.list(&path).await? {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            if name.starts_with(&format!("{tenant}-")) {
                objects.insert(format!("{resource}/{name}"), object);
            }
        }
    }
    if let Some(object) = world.tenant(tenant).await? {
        objects.insert("documenttenants".into(), object);
    }
    let mut names = vec![
        (world.namespace.clone(), "NAMESPACE".to_owned()),
        (tenant.to_owned(), "TENANT".to_owned()),
        (world.wire.address().port().to_string(), "PORT".to_owned()),
    ];
    names.extend(CLIENTS.map(|client| {
        let schema = Identity::of(&world.namespace, tenant, client).schema;
        (schema, format!("SCHEMA({client})"))
    }));
    names.extend(issued(&objects));
    let told = objects.get(&format!("secrets/{}", api_name(tenant)));
    names.extend(told.into_iter().flat_map(issuer::names_of_keys));
    let mask = Mask::new(names);
    let mut masked = State::new();
    for (name, object) in objects {
        add(&mut masked, &name, object, &mask);
    }
    let identities: Vec<String> = clients
        .iter()
        .flat_map(|client| Identity::of(&world.namespace, tenant, client).roles())
        .collect();
    let mut connection = world.ground.postgres.superuser(&world.database).await?;
    for (name, value) in database(&mut connection, &identities).await? {
        masked.insert(name, mask.apply(value));
    }
    connection.close().await?;
    Ok(masked)
}

/// Random values that were handed out: what they stand for is where they are kept.
fn issued(objects: &State) -> Vec<(String, String)> {
    let mut issued = Vec::new();
    for (name, object) in objects {
        let entries = object["data"].as_object().into_iter().flatten();
        for (entry, value) in entries.filter(|_| name.starts_with("secrets/")) {
            // Not random: it is one of the client's two.
            if entry.ends_with(".role") {
                continue;
            }
            let text = value.as_str().and_then(decode).unwrap_or_default();
            let is_one_word = text.len() >= 20 && text.chars().all(|c| c.is_ascii_graphic());
            if (is_one_word && !text.contains('{')) || text.starts_with(issuer::PRIVATE_KEY) {
                let kind = name.rsplit('-').next().unwrap_or_default();
                issued.push((text, format!("ISSUED({kind}/{entry})")));
            }
        }
    }
    issued
}

/// Pods and ReplicaSets have names of their own: what counts is how many there are of what.
fn add(all: &mut State, name: &str, mut object: Value, mask: &Mask) {
    let count = |all: &mut State, what: String| {
        let entry = all.entry(what).or_insert(json!(0));
        *entry = json!(entry.as_u64().unwrap_or_default() + 1);
    };
    let kind = name.split('/').next().unwrap_or_default();
    match kind {
        "pods" => return count(all, "pods".into()),
        "replicasets" => {
            let replicas = &object["spec"]["replicas"];
            return count(all, format!("replicasets of {replicas}"));
        }
        "secrets" => readable(&mut object),
        "deployments" => {
            let status = &object["status"];
            object["status"] = json!({
                "replicas": status["replicas"], "readyReplicas": status["readyReplicas"],
                "updatedReplicas": status["updatedReplicas"],
            });
        }
        _ => {}
    }
    if kind != "documenttenants"
        && kind != "deployments"
        && let Some(object) = object.as_object_mut()
    {
        object.remove("status");
    }
    let object = mask.apply(object);
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    all.insert(format!("{kind}/{name}"), object.clone());
}

/// Each gives one row with one JSON text; `$1` is a `text[]` of the names that the tenant's roles
/// and schemas may have.
const QUERIES: [(&str, &str); 5] = [
    (
        "roles",
        "SELECT json_agg(json_build_object('name', rolname, 'login', rolcanlogin, 'superuser', rolsuper,
             'createdb', rolcreatedb, 'createrole', rolcreaterole, 'inherit', rolinherit, 'limit', rolconnlimit,
             'config', rolconfig, 'password', left(rolpassword, 13), 'until', rolvaliduntil) ORDER BY rolname)::text
         FROM pg_authid LEFT JOIN (SELECT setrole, setconfig AS rolconfig FROM pg_db_role_setting
             WHERE setdatabase = 0) AS settings ON setrole = oid
         WHERE rolname = ANY($1)",
    ),
    (
        "memberships",
        "SELECT json_agg(json_build_object('role', a.rolname, 'member', b.rolname) ORDER BY 1::text)::text
         FROM pg_auth_members JOIN pg_roles a ON a.oid = roleid JOIN pg_roles b ON b.oid = member
         WHERE a.rolname = ANY($1) OR b.rolname = ANY($1)",
    ),
    (
        "schemas",
        "SELECT json_agg(json_build_object('name', nspname, 'owner', nspowner::regrole::text,
             'grants', nspacl::text) ORDER BY nspname)::text
         FROM pg_namespace WHERE nspname = ANY($1)",
    ),
    (
        "relations",
        "SELECT json_agg(json_build_object('schema', nspname, 'name', relname, 'kind', relkind,
             'owner', relowner::regrole::text, 'grants', relacl::text) ORDER BY nspname, relname)::text
         FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = ANY($1)",
    ),
    (
        "registry",
        "SELECT json_agg(json_build_object('schema', schema_name, 'role', role_name, 'content', content, 'namespace', namespace,
             'tenant', tenant, 'client', client, 'state', state) ORDER BY schema_name)::text
         FROM docket.clients WHERE schema_name = ANY($1)",
    ),
];

async fn database(connection: &mut PgConnection, names: &[String]) -> Result<Map<String, Value>> {
    let registry: bool = sqlx::query_scalar("SELECT to_regclass('docket.clients') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    let mut all = Map::new();
    for (what, query) in QUERIES {
        if what == "registry" && !registry {
            continue;
        }
        let text: Option<String> = sqlx::query_scalar(query)
            .bind(names)
            .fetch_one(&mut *connection)
            .await
            .with_context(|| format!("reading the {what}"))?;
        let value = text.map(|text| serde_json::from_str(&text)).transpose()?;
        all.insert(what.to_owned(), value.unwrap_or(Value::Null));
    }
    Ok(all)
}

/// Whether anything is left in Kubernetes.
pub(crate) fn has_objects(state: &State) -> bool {
    let in_database = |name: &String| QUERIES.iter().any(|(what, _)| what == name);
    !state.keys().all(in_database)
}

/// What one has and the other has not, one line each; empty where they are the same.
pub(crate) fn difference(wanted: &State, found: &State) -> Vec<String> {
    let mut lines = Vec::new();
    let keys: std::collections::BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    for key in keys {
        let null = Value::Null;
        let (a, b) = (
            wanted.get(key).unwrap_or(&null),
            found.get(key).unwrap_or(&null),
        );
        compare(key, a, b, &mut lines);
    }
    lines
}

fn compare(path: &str, wanted: &Value, found: &Value, lines: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let null = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                compare(&format!("{path}.{key}"), a, b, lines);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, lines);
            }
        }
        (wanted, found) if wanted != found => {
            lines.push(format!("{path}: wanted {wanted}, found {found}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_place() {
        let wanted = BTreeMap::from([("a".to_owned(), json!({"b": [1, 2], "c": 1}))]);
        let found = BTreeMap::from([("a".to_owned(), json!({"b": [1, 3], "c": 1}))]);
        assert_eq!(difference(&wanted, &found), ["a.b[1]: wanted 2, found 3"]);
        assert!(difference(&wanted, &wanted).is_empty());
    }
}
