//! The spec of a tenant, from a manifest.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::problem::Problem;

/// The spec of the tenant `name` of `namespace` in `file`; `-` is standard input.
pub(super) fn spec(file: &Path, name: &str, namespace: &str) -> Result<Value, Problem> {
    let shown = file.display();
    let text = match file.as_os_str() == "-" {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(file),
    };
    let text =
        text.map_err(|error| Problem::could_not_run(format!("{shown} cannot be read: {error}.")))?;
    find(&text, name, namespace).map_err(|why| Problem::could_not_run(format!("{shown} {why}.")))
}

/// Among the objects of a file, which may hold other kinds as well.
fn find(text: &str, name: &str, namespace: &str) -> Result<Value, String> {
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| format!("is no YAML: {error}"))?;
    let tenants: Vec<Value> = objects
        .into_iter()
        .filter(|it| it["kind"] == "DocumentTenant")
        .collect();
    let names = |it: &Value| -> (String, Option<String>) {
        let text = |field: &str| it["metadata"][field].as_str().map(str::to_owned);
        (text("name").unwrap_or_default(), text("namespace"))
    };
    let meant = tenants.iter().find(|it| {
        let (its_name, its_namespace) = names(it);
        its_name == name && its_namespace.is_none_or(|its| its == namespace)
    });
    match meant {
        Some(tenant) if tenant["spec"].is_object() => Ok(tenant["spec"].clone()),
        Some(_) => Err("has a DocumentTenant without a spec".to_owned()),
        None if tenants.is_empty() => Err("has no DocumentTenant in it".to_owned()),
        None => {
            let found: Vec<String> = tenants
                .iter()
                .map(|it| match names(it) {
                    (name, Some(namespace)) => format!("{namespace}/{name}"),
                    (name, None) => name,
                })
                .collect();
            Err(format!(
                "is about {}, not about {namespace}/{name}",
                found.join(" and ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: acme}
---
kind: DocumentTenant
metadata: {name: acme, namespace: acme}
spec: {clients: [{name: globex}], paused: true}
";

    #[test]
    fn the_spec_is_found_among_other_objects() {
        let spec = find(FILE, "acme", "acme").expect("a spec");
        assert_eq!(spec["clients"][0]["name"], "globex");
        assert_eq!(spec["paused"], true);
    }

    #[test]
    fn a_file_of_another_tenant_is_refused_and_named() {
        for (text, sentence) in [
            (FILE, "is about acme/acme, not about shop/acme"),
            ("kind: Secret", "has no DocumentTenant in it"),
            ("", "has no DocumentTenant in it"),
            (
                "kind: DocumentTenant\nmetadata: {name: acme}",
                "has a DocumentTenant without a spec",
            ),
            ("a: [", "is no YAML: "),
        ] {
            let why = find(text, "acme", "shop").expect_err(text);
            assert!(why.starts_with(sentence), "{why}");
        }
    }

    #[test]
    fn a_manifest_without_a_namespace_is_for_any() {
        let text = "kind: DocumentTenant\nmetadata: {name: acme}\nspec: {}";
        assert!(find(text, "acme", "shop").is_ok());
    }
}
