//! What the API server says to a spec that names no workload, or one that lacks something.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::scenario::TENANT;
use crate::specs::documents;
use crate::world::{UNHURRIED, World};

/// Fields of documents, and a part of the answer.
type Refusal = (fn() -> Value, &'static str);

/// What else is refused.
const REFUSED: [Refusal; 4] = [
    (
        || json!({"storage": null}),
        "spec.workloads.documents.storage: Required value",
    ),
    (
        || json!({"uploads": {"maxSize": "65Gi"}}),
        "maxSize must be at most 64Gi",
    ),
    (
        || json!({"quota": {"storage": null}}),
        "a quota names documents, storage or both",
    ),
    (
        || json!({"storage": {"s3": {"bucket": "another"}}}),
        "the bucket is immutable",
    ),
];

/// What is refused of the rest of a spec.
const REFUSED_BESIDE: [Refusal; 8] = [
    (
        || json!({"api": {"auth": {"mode": "None"}, "ingress": {"host": "a.test"}}}),
        "with auth.mode None and ingress or httpRoute",
    ),
    (
        || json!({"api": {"auth": {"mode": "Jwt", "jwt": {"issuer": "http://login", "audience": "a"}}}}),
        "jwksUrl, or issuer where there is none, must start with https://",
    ),
    (
        || {
            json!({"api": {"auth": {"mode": "Jwt", "jwt": {"issuer": "https://login", "audience": "a",
                "jwksUrl": "http://login/keys"}}}})
        },
        "jwksUrl, or issuer where there is none, must start with https://",
    ),
    (
        || {
            json!({"telemetry": {"endpoint": "http://gateway:4317",
                "headersSecretRef": {"name": "headers"}}})
        },
        "headersSecretRef needs an endpoint that starts with https://",
    ),
    (
        || {
            documents(json!({"summarizer": {"mode": "OpenAI", "openai": {
                "url": "http://model", "model": "m", "secretRef": {"name": "model"}}}}))
        },
        "url must start with https://",
    ),
    (
        || json!({"api": {"network": {"from": []}}}),
        "should have at least 1 items",
    ),
    (
        || json!({"api": {"network": {"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}}}),
        "a peer names ipBlock, or namespaceSelector, podSelector or both",
    ),
    (
        || json!({"api": {"network": {"from": [{"ipBlock": {"cidr": "10.0.0.1"}}]}}}),
        "cidr must be a range of addresses",
    ),
];

/// The same, said out loud.
const SAID_OUT_LOUD: [fn() -> Value; 4] = [
    || json!({"api": {"auth": {"mode": "None", "allowExposed": true}, "ingress": {"host": "a.test"}}}),
    || {
        json!({"api": {"auth": {"mode": "Jwt", "jwt": {"issuer": "http://login", "audience": "a",
            "allowHttp": true}}}})
    },
    || {
        json!({"telemetry": {"endpoint": "http://gateway:4317", "allowHttp": true,
            "headersSecretRef": {"name": "headers"}}})
    },
    || json!({"api": {"network": {"from": [{"namespaceSelector": {}, "podSelector": {}}]}}}),
];

/// A spec without a workload is refused when it comes and when it changes, in a sentence that says what to
/// write; one that names documents gets their defaults.
///
/// # Errors
/// What is otherwise than it should be.
pub async fn a_spec_names_its_workloads(ground: &Arc<Ground>) -> Result<()> {
    let world = World::make(ground.clone(), UNHURRIED).await?;
    let mut spec = world.spec();
    spec["clients"] = json!([{"name": "globex"}]);
    let sentence = "workloads names what the tenant runs, one at least: write documents";
    let mut without = spec.clone();
    without["workloads"] = json!({});
    refused(world.create(TENANT, &without).await, sentence)?;
    world.create(TENANT, &spec).await?;

    let path = world.tenant_path(TENANT);
    let tenant = ground.plane.admin.get(&path).await?.unwrap_or_default();
    let spec = &tenant["spec"];
    let given = &spec["workloads"]["documents"];
    let defaults = (
        given["uploads"]["maxSize"].as_str(),
        given["summarizer"]["mode"].as_str(),
        given["retention"]["days"].as_i64(),
    );
    ensure!(
        defaults == (Some("5Gi"), Some("Extractive"), Some(30)),
        "{spec}"
    );
    ensure!(spec["clients"][0]["retention"].is_null(), "{spec}");

    let taken = json!({"spec": documents(Value::Null)});
    refused(world.change(TENANT, &taken).await, sentence)?;
    for (fields, sentence) in REFUSED {
        let change = json!({"spec": documents(fields())});
        refused(world.change(TENANT, &change).await, sentence)?;
    }
    for (fields, sentence) in REFUSED_BESIDE {
        let change = json!({"spec": fields()});
        refused(world.change(TENANT, &change).await, sentence)?;
    }
    let tenant = world.tenant(TENANT).await?.unwrap_or_default();
    for fields in SAID_OUT_LOUD {
        world.change(TENANT, &json!({"spec": fields()})).await?;
        world.replace(TENANT, &tenant["spec"]).await?;
    }
    world.end().await
}

fn refused(answer: Result<()>, sentence: &str) -> Result<()> {
    let answer = answer.err().map(|error| format!("{error:#}"));
    let answer = answer.unwrap_or_default();
    ensure!(answer.contains(sentence), "not {sentence}: {answer:?}");
    Ok(())
}
