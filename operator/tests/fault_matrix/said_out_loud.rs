//! What a real API server refuses of a spec unless the spec says that it is meant.

use docket_fault_matrix::{ControlPlane, Fidelity};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::spec_text::{apply, specs};

/// A change that is refused, words of the sentence that says why, and what makes it accepted.
type Change = (fn(&mut Value), &'static str, fn(&mut Value));

const CHANGES: [Change; 7] = [
    (
        |spec| spec["api"]["auth"]["jwt"]["jwksUrl"] = json!("http://login.example.com/keys"),
        "say allowHttp: true where nobody else is",
        |spec| spec["api"]["auth"]["jwt"]["allowHttp"] = json!(true),
    ),
    (
        |spec| {
            let issuer = "http://login.example.com";
            spec["api"]["auth"]["jwt"] = json!({"issuer": issuer, "audience": "docket"});
        },
        "whoever is on the way says which keys sign tokens",
        |spec| spec["api"]["auth"]["jwt"]["allowHttp"] = json!(true),
    ),
    (
        |spec| {
            spec["telemetry"] =
                json!({"endpoint": "http://gateway:4317", "headersSecretRef": {"name": "headers"}})
        },
        "whoever is on the way reads the headers",
        |spec| spec["telemetry"]["allowHttp"] = json!(true),
    ),
    (
        |spec| model(spec)["url"] = json!("http://models.example.com/v1"),
        "whoever is on the way reads the key and the texts",
        |spec| model(spec)["allowHttp"] = json!(true),
    ),
    (
        lets_in_everybody,
        "everybody outside reads and writes all clients' data",
        |spec| spec["api"]["auth"]["allowExposed"] = json!(true),
    ),
    (
        |spec| {
            let api = spec["api"].as_object_mut().expect("fields");
            api.remove("ingress");
            api.insert(
                "httpRoute".into(),
                json!({"parentRefs": [{"name": "public"}]}),
            );
            lets_in_everybody(spec);
        },
        "everybody outside reads and writes all clients' data",
        |spec| spec["api"]["auth"]["allowExposed"] = json!(true),
    ),
    (lets_in_everybody, "choose ApiKey or Jwt", |spec| {
        spec["api"]
            .as_object_mut()
            .expect("fields")
            .remove("ingress");
    }),
];

fn lets_in_everybody(spec: &mut Value) {
    spec["api"]["auth"] = json!({"mode": "None"});
    // Nobody issues a token.
    spec.as_object_mut().expect("fields").remove("credentials");
}

fn model(spec: &mut Value) -> &mut Value {
    &mut spec["workloads"]["documents"]["summarizer"]["openai"]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_over_plain_http_or_is_open_to_all_is_refused_unless_that_is_said() {
    let plane = ControlPlane::start(Fidelity::Swift).await;
    let plane = plane.expect("a control plane");
    for (change, sentence, meant) in CHANGES {
        let mut spec = specs()[0].clone();
        change(&mut spec);
        let (status, answer) = apply(&plane, &spec).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{sentence}");
        assert!(answer.contains(sentence), "{answer}");
        meant(&mut spec);
        let (status, answer) = apply(&plane, &spec).await;
        assert_eq!(status, StatusCode::CREATED, "{sentence}: {answer}");
    }
}
