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

/// What must not know which workloads there are.
const SHARED: [&str; 5] = [
    "cli/src",
    "instrumentation/src",
    "objectives/src",
    "operator/src",
    "platform/src",
];

/// Where a workload is named all the same. Each is to go, and one that is not needed is refused.
const EXCEPTIONS: [(&str, &str); 4] = [
    (
        "cli/src/arguments.rs",
        "what `docketctl check` does is told",
    ),
    (
        "cli/src/check",
        "documents are what it tries a tenant out with",
    ),
    (
        "operator/src/reconcile/workloads",
        "where a workload's part of a spec is read, a line and a file each",
    ),
    (
        "operator/src/validated_tenant/workloads",
        "where what is decided of it is kept, a line and a file each",
    ),
];

/// Phrases in which the word means something else.
const ORDINARY: [&str; 4] = [
    "openapi document",
    "discovery document",
    "documenttenant",
    "document-tenant",
];

/// Files that speak of OpenAPI documents, and of those of an issuer, in code.
const OTHER_DOCUMENTS: [&str; 2] = ["platform/src/openapi/", "platform/src/tokens/"];

/// How a workload in `folder` may be spelled: as its folder, as a type, a variable or words; many or one.
fn spellings(folder: &str) -> Vec<String> {
    let many = ["-", "_", "", " "].map(|between| folder.replace('-', between));
    let one = many.iter().filter_map(|name| name.strip_suffix('s'));
    let one: Vec<String> = one.map(ToOwned::to_owned).collect();
    many.into_iter().chain(one).collect()
}

/// Whether `line` has `name` and no more letters behind it, so that what is documented is no document.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let behind = line[at + name.len()..].chars().next();
        !behind.is_some_and(|letter| letter.is_ascii_lowercase())
    })
}

/// The lines of `file` that say one of `spellings`; its tests may take a workload as their example.
fn told(path: &str, text: &str, folder: &str) -> Vec<usize> {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    let elsewhere = OTHER_DOCUMENTS.iter().any(|it| path.starts_with(it));
    let spellings = spellings(folder);
    let spellings = spellings
        .iter()
        .filter(|it| !elsewhere || it.ends_with('s'));
    let spellings: Vec<&String> = spellings.collect();
    let lines = shipped.lines().enumerate().filter(|(_, line)| {
        let line = ORDINARY
            .iter()
            .fold(line.to_lowercase(), |line, it| line.replace(it, ""));
        spellings.iter().any(|it| names(&line, it))
    });
    lines.map(|(at, _)| at + 1).collect()
}

/// Rust files below `folder`, by their paths from `root`; not those of tests alone.
fn sources(root: &Path, folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let entries = entries.map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => sources(root, &path),
        false => {
            let name = path.strip_prefix(root).expect("below it").display();
            let is_source = path.extension().is_some_and(|it| it == "rs");
            let is_test = Path::new(&name.to_string())
                .with_extension("")
                .components()
                .any(|it| it.as_os_str() == "tests" || it.as_os_str() == "example");
            let read = || {
                (
                    name.to_string(),
                    std::fs::read_to_string(&path).expect("text"),
                )
            };
            (is_source && !is_test).then(read).into_iter().collect()
        }
    });
    files.collect()
}

#[test]
fn what_is_shared_names_no_workload() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository");
    let folders = std::fs::read_dir(root.join("workloads")).expect("workloads");
    let names = folders.map(|folder| folder.expect("a workload").file_name());
    let names: Vec<String> = names.map(|it| it.to_string_lossy().into_owned()).collect();
    assert!(names.iter().any(|it| it == "documents"), "{names:?}");

    let mut needed = Vec::new();
    let mut wrong = Vec::new();
    for (path, text) in SHARED.iter().flat_map(|it| sources(root, &root.join(it))) {
        let lines = names.iter().flat_map(|name| told(&path, &text, name));
        let lines: Vec<usize> = lines.collect();
        match EXCEPTIONS
            .iter()
            .find(|(folder, _)| path.starts_with(folder))
        {
            _ if lines.is_empty() => {}
            Some((folder, _)) => needed.push(*folder),
            None => wrong.push(format!("{path}: lines {lines:?}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "a workload is named in\n{}",
        wrong.join("\n")
    );
    for (folder, why) in EXCEPTIONS {
        assert!(
            needed.contains(&folder),
            "{folder} ({why}) names none any more"
        );
    }
}

#[test]
fn a_workload_is_found_however_it_is_spelled() {
    for line in [
        "kind: Documents",
        "document_id: i64",
        "such as `/clients/{client}/documents/{id}`",
        "of the document API",
        "UPLOAD_DOCUMENT",
    ] {
        assert_eq!(told("platform/src/x.rs", line, "documents"), [1], "{line}");
    }
    for line in [
        "it is documented",
        "the OpenAPI document",
        "impl DocumentTenant",
        "#[cfg(test)]\nlet documents = 1;",
    ] {
        assert!(
            told("platform/src/x.rs", line, "documents").is_empty(),
            "{line}"
        );
    }
    for line in ["PageViews", "page_view", "a page view", "/p3/page-views"] {
        assert_eq!(told("platform/src/x.rs", line, "page-views"), [1], "{line}");
    }
}
