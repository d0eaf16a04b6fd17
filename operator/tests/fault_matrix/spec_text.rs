//! No text of a spec gets past a real API server that the programs behind it are not made for.

use std::collections::BTreeSet;

use docket_fault_matrix::{ControlPlane, Fidelity};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const TENANTS: &str = "/apis/docket.dev/v1alpha1/namespaces/default/documenttenants?dryRun=All";

/// Two specs that have a value in every text that there is: an Ingress and an HTTPRoute exclude each other.
pub fn specs() -> [Value; 2] {
    let name = |name: &str| json!({"name": name});
    let resources = json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}});
    let nodes = json!({"matchExpressions": [{"key": "docket.dev/disk", "operator": "In", "values": ["ssd"]}]});
    let pods = json!({"labelSelector": {"matchLabels": {"app": "docket"}}, "topologyKey": "kubernetes.io/hostname"});
    let of_pods = json!({
        "requiredDuringSchedulingIgnoredDuringExecution": [pods],
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": pods}],
    });
    let first = json!({
        "clients": [{"name": "globex", "quota": {"storage": "10Gi"}}],
        "database": {"secretRef": name("docket-database"), "deletionPolicy": "Retain"},
        "credentials": {"rotation": "30d", "apiKeyRotation": "30d", "signingKeyRotation": "90d"},
        "objectives": [{"name": "fast", "target": "99.9", "workload": "documents", "threshold": "300ms", "window": "30d"}],
        "workloads": {
            "documents": {
                "storage": {"s3": {"bucket": "acme", "endpoint": "https://s3.example.com", "region": "eu-central-1",
                    "secretRef": name("docket-s3")}},
                "uploads": {"maxSize": "5Gi", "acceptedTypes": ["application/pdf"]},
                "summarizer": {"mode": "OpenAI", "openai": {"url": "https://api.example.com/v1", "model": "m",
                    "secretRef": name("docket-openai"), "timeout": "30s"}},
                "quota": {"storage": "10Gi"},
            },
            "pageViews": {"origins": ["https://www.example.com"]},
        },
        "api": {
            "image": "docket-api",
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "spot", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [nodes]},
                    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": nodes}],
                },
                "podAffinity": of_pods,
                "podAntiAffinity": of_pods,
            },
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule", "nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Honor"}],
            "resources": resources,
            "auth": {
                "mode": "Jwt",
                "jwt": {"issuer": "https://login.example.com", "audience": "docket", "clientClaim": "client_id",
                    "jwksUrl": "https://login.example.com/keys", "caSecretRef": name("docket-issuer")},
                "issuer": {"url": "https://documents.example.com", "tokenLifetime": "15m"},
            },
            "tls": {"secretRef": name("docket-tls")},
            "network": {"from": [
                {"namespaceSelector": {"matchLabels": {"team": "shop"}}, "podSelector": {"matchLabels": {"app": "shop"}}},
                {"ipBlock": {"cidr": "192.0.2.0/24"}},
            ]},
            "ingress": {"className": "nginx", "host": "documents.example.com", "annotations": {"snippet": "first\n\tsecond\n"},
                "tlsSecretRef": name("docket-host")},
        },
        "telemetry": {
            "endpoint": "https://gateway.example.com:4317",
            "tls": {"caSecretRef": name("docket-ca"), "certificateSecretRef": name("docket-collector"),
                "serverName": "gateway.example.com"},
            "headersSecretRef": name("docket-headers"),
            "sampling": {"ratio": "0.1"},
            "redaction": {"patterns": ["[0-9]{16}"]},
            "collector": {"image": "collector", "resources": resources},
        },
    });
    let second = {
        let mut spec = first.clone();
        spec["api"]["httpRoute"] = json!({"hostnames": ["documents.example.com"],
            "parentRefs": [{"name": "gateway", "namespace": "gateways", "sectionName": "https"}]});
        let api = spec["api"].as_object_mut().expect("fields");
        api.remove("ingress");
        spec
    };
    [first, second]
}

/// Maps whose keys users choose, and one that is there.
const KEYS: [(&str, &str); 4] = [
    ("/api/nodeSelector", "disk"),
    (
        "/api/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector/matchLabels",
        "app",
    ),
    ("/api/network/from/0/podSelector/matchLabels", "app"),
    ("/api/ingress/annotations", "snippet"),
];

type Change = fn(&str) -> String;

/// What a spec's text cannot have, made of one that is right.
const WRONG: [(&str, Change); 4] = [
    ("the end of a line", |text| format!("{text}\n")),
    ("a line break", |text| format!("a\n{text}")),
    ("a NUL character", |text| format!("{text}\0")),
    ("a megabyte", |text| text.repeat((1 << 20) / text.len() + 1)),
];

/// Every text in `value`: its JSON pointer, and its path in the schema.
fn texts(pointer: &str, path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    // Keys of these are the user's.
    let is_map = ["nodeSelector", "matchLabels", "annotations"]
        .iter()
        .any(|it| path.ends_with(it));
    match value {
        Value::String(_) => found.push((pointer.to_owned(), path.to_owned())),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                texts(
                    &format!("{pointer}/{at}"),
                    &format!("{path}[]"),
                    item,
                    found,
                );
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let in_schema = match is_map {
                    true => format!("{path}{{}}"),
                    false => format!("{path}.{name}"),
                };
                texts(&format!("{pointer}/{name}"), &in_schema, field, found);
            }
        }
        _ => {}
    }
}

/// The path of every text in `schema`.
fn known(path: &str, schema: &Value, found: &mut BTreeSet<String>) {
    if schema["type"] == "string" {
        found.insert(path.to_owned());
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        known(&format!("{path}.{name}"), field, found);
    }
    for (part, name) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[part].is_object() {
            known(&format!("{path}{name}"), &schema[part], found);
        }
    }
}

pub async fn apply(plane: &ControlPlane, spec: &Value) -> (StatusCode, String) {
    let tenant = json!({"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": "acme"}, "spec": spec});
    let request = plane.admin.request(Method::POST, TENANTS).json(&tenant);
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("a body"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_spec_may_have_a_line_break_a_nul_character_or_a_megabyte() {
    // Only the first test can win, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plane = ControlPlane::start(Fidelity::Swift)
        .await
        .expect("a control plane");
    let crd: Value =
        serde_yaml::from_str(&docket_crds::custom_resource_definition_yaml()).expect("YAML");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let (mut untried, mut accepted) = (BTreeSet::new(), Vec::new());
    known("", schema, &mut untried);
    for spec in specs() {
        let (status, answer) = apply(&plane, &spec).await;
        assert_eq!(status, StatusCode::CREATED, "as it is: {answer}");
        let mut found = Vec::new();
        texts("", "", &spec, &mut found);
        for (pointer, path) in found {
            if !untried.remove(&path) {
                continue;
            }
            for (what, wrong) in WRONG {
                // Snippets that controllers of an Ingress read have lines.
                if path.contains("annotations") && what.contains("line") {
                    continue;
                }
                let mut spec = spec.clone();
                let text = spec.pointer_mut(&pointer).expect("it was found there");
                *text = wrong(text.as_str().expect("a text")).into();
                let (status, _) = apply(&plane, &spec).await;
                if status != StatusCode::UNPROCESSABLE_ENTITY {
                    accepted.push(format!("{path} with {what}: {status}"));
                }
            }
        }
    }
    for (pointer, key) in KEYS {
        for (what, wrong) in WRONG {
            let mut spec = specs()[0].clone();
            let map = spec.pointer_mut(pointer).expect("a map");
            let map = map.as_object_mut().expect("a map");
            let value = map.remove(key).expect("the key");
            map.insert(wrong(key), value);
            let (status, _) = apply(&plane, &spec).await;
            if status != StatusCode::UNPROCESSABLE_ENTITY {
                accepted.push(format!("a key of {pointer} with {what}: {status}"));
            }
        }
    }
    assert!(untried.is_empty(), "the specs lack a value: {untried:#?}");
    assert!(accepted.is_empty(), "{accepted:#?}");
}
