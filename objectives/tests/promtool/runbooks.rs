//! Every alert has a page in docs/runbooks that says what it means, how to see the cause, and what to do.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::{objective_rules, operator_alerts, service_alerts};

fn names(rules: &Value) -> Vec<String> {
    let groups = rules["groups"].as_array().into_iter().flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    rules
        .filter_map(|rule| Some(rule["alert"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let all = [
        objective_rules::rules(),
        operator_alerts::rules(),
        service_alerts::rules(Some(1)),
    ];
    let alerts: BTreeSet<String> = all.iter().flat_map(names).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbooks");
    let mut pages = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("docs/runbooks") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a page");
        for part in [
            &*format!("# {name}\n"),
            "\n## See the cause\n",
            "\n## Do\n",
            "```",
        ] {
            assert!(text.contains(part), "{name} lacks {part:?}");
        }
        pages.insert(name.into_owned());
    }
    assert_eq!(alerts, pages);
}
