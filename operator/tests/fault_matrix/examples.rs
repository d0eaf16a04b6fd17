//! The manifests under `examples/`, as a real API server with the CRD takes them.

use std::path::Path;

use docket_fault_matrix::{ControlPlane, Fidelity};
use serde::Deserialize as _;
use serde_json::Value;

/// Documents of each file, in their order.
fn examples() -> Vec<(String, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = std::fs::read_dir(folder).expect("a folder");
    let examples = files.map(|file| {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let documents = serde_yaml::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).expect("YAML"));
        (path.display().to_string(), documents.collect())
    });
    examples.collect()
}

/// Where an object of this kind is created.
fn collection(object: &Value) -> String {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    match object["kind"].as_str().expect("a kind") {
        "Namespace" => "/api/v1/namespaces".to_owned(),
        "Secret" => format!("/api/v1/namespaces/{namespace}/secrets"),
        "DocumentTenant" => {
            format!("/apis/docket.dev/v1alpha1/namespaces/{namespace}/documenttenants")
        }
        other => panic!("{other} is new here"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_accepted_as_it_is_and_shows_what_there_is() {
    let plane = ControlPlane::start(Fidelity::Swift).await;
    let plane = plane.expect("a control plane");
    let mut specs = Vec::new();
    for (file, documents) in examples() {
        for document in documents {
            // A field that nobody knows is an error instead of a warning.
            let path = format!("{}?fieldValidation=Strict", collection(&document));
            let created = plane.admin.create(&path, &document).await;
            let created = created.unwrap_or_else(|error| panic!("{file}: {error:#}"));
            specs.extend(
                created
                    .get("spec")
                    .filter(|_| document["kind"] == "DocumentTenant")
                    .cloned(),
            );
        }
    }
    for shown in [
        "/workloads/documents",
        "/workloads/pageViews",
        "/api/auth/issuer",
    ] {
        let is_shown = |spec: &Value| spec.pointer(shown).is_some();
        assert!(specs.iter().any(is_shown), "no example has {shown}");
    }
}
