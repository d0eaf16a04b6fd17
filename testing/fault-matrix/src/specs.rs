//! Specs that the API server accepts: such as the operator can fulfil, and such as it cannot.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::snapshot::CLIENTS;

/// Secret with a certificate that can be served.
pub(crate) const TLS: &str = "docket-tls";
/// Secret with a key of a language model.
pub(crate) const OPENAI: &str = "docket-openai";
/// Secret with headers of telemetry.
pub(crate) const HEADERS: &str = "docket-headers";
/// Secret in which nothing is as it should be.
pub(crate) const BROKEN: &str = "docket-broken";

/// Two specs to go between, and what comes in between.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub a: Value,
    pub b: Value,
    /// `a` with something that the operator cannot do.
    pub invalid: Value,
}

/// `count` pairs, the same in every run; `base` is what all specs share.
pub(crate) fn pairs(count: usize, base: &Value) -> Vec<Pair> {
    let config = Config::default();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = (spec(base.clone()), spec(base.clone()), 0..FLAWS.len());
    std::iter::repeat_with(|| strategy.new_tree(&mut runner))
        .flatten()
        .map(|tree| tree.current())
        .map(|(a, b, flaw)| Pair {
            invalid: flawed(&a, flaw),
            a,
            b,
        })
        .take(count)
        .collect()
}

/// What the schema accepts and the operator refuses, as a merge patch of a spec.
const FLAWS: [fn() -> Value; 8] = [
    || json!({"database": {"secretRef": {"name": "nowhere"}}}),
    || json!({"database": {"secretRef": {"name": BROKEN}}}),
    || documents(json!({"storage": {"s3": {"secretRef": {"name": "nowhere"}}}})),
    || documents(json!({"storage": {"s3": {"secretRef": {"name": BROKEN}}}})),
    || json!({"api": {"tls": {"secretRef": {"name": BROKEN}}}}),
    || {
        documents(json!({"summarizer": {"mode": "OpenAI", "openai": {
            "url": "https://models.docket.test/v1", "model": "m", "secretRef": {"name": BROKEN}}}}))
    },
    || json!({"telemetry": {"headersSecretRef": {"name": "nowhere"}}}),
    || {
        json!({"telemetry": {"endpoint": "https://other.docket.test:4317",
            "tls": {"certificateSecretRef": {"name": BROKEN}}}})
    },
];

/// A spec in which `fields` are those of documents.
pub(crate) fn documents(fields: Value) -> Value {
    json!({"workloads": {"documents": fields}})
}

fn flawed(spec: &Value, flaw: usize) -> Value {
    let mut spec = spec.clone();
    merge(&mut spec, FLAWS[flaw]());
    spec
}

fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change,
    }
}

fn spec(base: Value) -> impl Strategy<Value = Value> {
    let parts = (clients(), policy(), workload(), api(), telemetry());
    parts.prop_map(move |(clients, policy, workload, api, telemetry)| {
        let mut spec = base.clone();
        merge(&mut spec, documents(workload));
        spec["clients"] = clients;
        spec["database"]["deletionPolicy"] = policy;
        spec["api"] = api;
        spec["telemetry"] = telemetry;
        spec
    })
}

/// All adopt: a client that comes back finds what it left.
fn clients() -> impl Strategy<Value = Value> {
    let names = subsequence(CLIENTS.to_vec(), 1..=3);
    let details = proptest::collection::vec(client(), CLIENTS.len());
    (names, details).prop_map(|(names, details)| {
        let named = |(name, mut client): (&str, Value)| {
            client["name"] = name.into();
            client
        };
        names.into_iter().zip(details).map(named).collect()
    })
}

fn client() -> impl Strategy<Value = Value> {
    limits().prop_map(|mut client| {
        client["adopt"] = true.into();
        client
    })
}

/// What clients and documents say alike of quota and retention.
fn limits() -> impl Strategy<Value = Value> {
    let quota = proptest::option::of((1..1000i64, 1..64u32));
    let days = proptest::option::of(1..=36_500i32);
    (quota, days).prop_map(|(quota, days)| {
        let mut limits = json!({});
        if let Some(days) = days {
            limits["retention"] = json!({"days": days});
        }
        if let Some((documents, gigabytes)) = quota {
            let storage = format!("{gigabytes}Gi");
            limits["quota"] = json!({"documents": documents, "storage": storage});
        }
        limits
    })
}

/// Documents, but for their storage.
fn workload() -> impl Strategy<Value = Value> {
    let types = subsequence(vec!["application/pdf", "image/*", "text/plain"], 0..=3);
    let size = select(vec!["1Mi", "500Mi", "5Gi"]);
    (limits(), size, types, summarizer()).prop_map(|(mut workload, size, types, summarizer)| {
        workload["uploads"] = json!({"maxSize": size, "acceptedTypes": types});
        workload["summarizer"] = summarizer;
        workload
    })
}

fn policy() -> impl Strategy<Value = Value> {
    select(vec![json!("Retain"), json!("Delete")])
}

fn api() -> impl Strategy<Value = Value> {
    let image = proptest::option::of(select(vec!["docket.test/api:1", "docket.test/api:2"]));
    let limit = (1..10_000i32, proptest::option::of(1..10_000i32));
    (
        image,
        (pods(), outside(), scheduling()),
        resources(),
        auth(),
        limit,
        any::<bool>(),
    )
        .prop_map(|(image, parts, resources, auth, limit, tls)| {
            let mut api = json!({
                "resources": resources, "auth": auth,
                "rateLimit": {"requestsPerSecond": limit.0},
            });
            for part in [parts.0, parts.1, parts.2] {
                merge(&mut api, part);
            }
            if let Some(image) = image {
                api["image"] = image.into();
            }
            if let Some(burst) = limit.1 {
                api["rateLimit"]["burst"] = burst.into();
            }
            if tls {
                api["tls"] = json!({"secretRef": {"name": TLS}});
            }
            api
        })
}

/// An autoscaler without metrics keeps to its bounds: with one number between them it comes to that.
fn pods() -> impl Strategy<Value = Value> {
    (1..=2i32, any::<bool>()).prop_map(|(pods, fixed)| match fixed {
        true => json!({"replicas": pods}),
        false => json!({"autoscaling": autoscaling(pods, pods)}),
    })
}

pub(crate) fn autoscaling(least: i32, most: i32) -> Value {
    json!({"minReplicas": least, "maxReplicas": most})
}

fn outside() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        exposed_by_ingress(),
        json!({"ingress": {"host": "documents.docket.test", "className": "nginx",
            "annotations": {"docket.test/size": "0"}, "tlsSecretRef": {"name": "made-later"}}}),
        exposed_by_route(),
        json!({"httpRoute": {"parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}, {"name": "inner"}],
            "hostnames": ["documents.docket.test"]}}),
    ])
}

pub(crate) fn exposed_by_ingress() -> Value {
    json!({"ingress": {"host": "docket.test"}})
}

pub(crate) fn exposed_by_route() -> Value {
    json!({"httpRoute": {"parentRefs": [{"name": "public"}]}})
}

/// Nothing that would keep a pod from its one node.
fn scheduling() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({"topologySpreadConstraints": []}),
        json!({"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"},
            {"maxSkew": 3, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "nodeTaintsPolicy": "Honor"}]}),
        json!({"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "absent", "operator": "DoesNotExist"}]}]},
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 7, "preference":
                {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}]}}}),
        json!({"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1,
            "podAffinityTerm": {"topologyKey": "rack", "labelSelector": {"matchLabels": {"app": "batch"}}}}]}}}),
    ])
}

fn resources() -> impl Strategy<Value = Value> {
    (
        select(vec!["10m", "0.1", "1"]),
        select(vec!["64Mi", "0.5Gi"]),
        any::<bool>(),
    )
        .prop_map(|(cpu, memory, limited)| {
            let mut resources = json!({"requests": {"cpu": cpu, "memory": memory}});
            if limited {
                resources["limits"] = json!({"cpu": "2000m", "memory": "1Gi"});
            }
            resources
        })
}

fn auth() -> impl Strategy<Value = Value> {
    let jwt = |keys: Option<&str>| {
        let mut jwt = json!({"issuer": "https://login.docket.test", "audience": "docket"});
        if let Some(keys) = keys {
            jwt["jwksUrl"] = keys.into();
        }
        json!({"mode": "Jwt", "jwt": jwt})
    };
    select(vec![
        json!({"mode": "ApiKey"}),
        json!({"mode": "None", "allowExposed": true}),
        jwt(None),
        jwt(Some("https://login.docket.test/keys")),
    ])
}

fn summarizer() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"mode": "Extractive"}),
        json!({"mode": "None"}),
        json!({"mode": "OpenAI", "openai": {"url": "https://models.docket.test/v1", "model": "m",
            "timeout": "15s", "secretRef": {"name": OPENAI}}}),
    ])
}

fn telemetry() -> impl Strategy<Value = Value> {
    let endpoint = select(vec![
        json!({}),
        json!({"endpoint": "http://other.docket.test:4317"}),
        json!({"endpoint": "https://other.docket.test:4317"}),
        json!({"endpoint": "https://other.docket.test:4317", "tls": {
            "caSecretRef": {"name": TLS}, "certificateSecretRef": {"name": TLS},
            "serverName": "docket.test"}}),
    ]);
    let ratio = proptest::option::of(select(vec!["0", "0.25", "1"]));
    let patterns = subsequence(vec!["acme-[0-9]{6}$", "(?i)project x"], 0..=2);
    (endpoint, any::<bool>(), ratio, patterns, resources()).prop_map(
        |(mut telemetry, headers, ratio, patterns, resources)| {
            telemetry["collector"] = json!({"resources": resources});
            if headers {
                telemetry["headersSecretRef"] = json!({"name": HEADERS});
                telemetry["allowHttp"] = true.into();
            }
            if let Some(ratio) = ratio {
                telemetry["sampling"] = json!({"ratio": ratio});
            }
            if !patterns.is_empty() {
                telemetry["redaction"] = json!({"patterns": patterns});
            }
            telemetry
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_the_same_in_every_run_and_differ_among_themselves() {
        let base = json!({"database": {}, "workloads": {}});
        let (one, two) = (pairs(50, &base), pairs(50, &base));
        assert!(one.iter().zip(&two).all(|(a, b)| a.a == b.a && a.b == b.b));
        let specs: std::collections::BTreeSet<String> =
            one.iter().map(|pair| pair.a.to_string()).collect();
        assert_eq!(specs.len(), 50);
    }
}
