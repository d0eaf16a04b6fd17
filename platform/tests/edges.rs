//! Which crate may know of which: the platform knows no workload, and no workload another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The one that puts the workloads together.
const ASSEMBLY: &str = "docket-api-server";

/// Names of this repository's crates, and of the crates that each states in its manifest, whatever for.
fn edges() -> BTreeMap<String, (String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    let edges = packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let names = dependencies.iter().map(|it| text(&it["name"])).collect();
        (
            text(&package["name"]),
            (text(&package["manifest_path"]), names),
        )
    });
    edges.collect()
}

/// Those in the folder `workloads/`.
fn workloads(edges: &BTreeMap<String, (String, Vec<String>)>) -> Vec<&str> {
    let is_workload = |manifest: &str| {
        let folder = Path::new(manifest).ancestors().nth(2);
        folder.is_some_and(|folder| folder.ends_with("workloads"))
    };
    let found = edges.iter().filter(|(_, (path, _))| is_workload(path));
    found.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn only_the_assembly_depends_on_a_workload() {
    let edges = edges();
    let workloads = workloads(&edges);
    assert!(workloads.contains(&"docket-documents"), "{workloads:?}");
    for (name, (_, dependencies)) in edges.iter().filter(|(name, _)| *name != ASSEMBLY) {
        let known = dependencies.iter().map(String::as_str);
        let known: Vec<&str> = known.filter(|it| workloads.contains(it)).collect();
        assert!(known.is_empty(), "{name} depends on {known:?}");
    }
}

#[test]
fn only_servers_stand_on_the_platform() {
    let edges = edges();
    let workloads = workloads(&edges);
    for (name, (_, dependencies)) in &edges {
        let stands = dependencies.iter().any(|it| it == env!("CARGO_PKG_NAME"));
        let may = name == ASSEMBLY || workloads.contains(&name.as_str());
        assert!(may || !stands, "{name} depends on the platform");
    }
}
