//! Prometheus' own tool.

use std::process::Command;

use docket_testing_support::tool;
use serde_json::{Value, json};

/// Name of the file with rules.
pub const RULES: &str = "rules.yaml";

/// Runs promtool in a folder that holds `files`; it must succeed.
pub fn promtool(arguments: &[&str], files: &[(&str, &Value)]) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let text = serde_yaml::to_string(content).expect("YAML");
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let output = Command::new(tool("promtool").expect("promtool"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("promtool");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// With `rules`, `series` of one sample a minute make what is `expected` true.
pub fn test(rules: &Value, series: &[Value], expected: &Value) {
    let mut one = json!({"interval": "1m", "input_series": series});
    for (key, value) in expected.as_object().into_iter().flatten() {
        one[key] = value.clone();
    }
    let tests = json!({"rule_files": [RULES], "evaluation_interval": "15s", "tests": [one]});
    let files = [(RULES, rules), ("test.yaml", &tests)];
    promtool(&["test", "rules", "test.yaml"], &files);
}

/// Which alerts fire at `time`: their names and severities.
pub fn firing(time: &str, expected: &[(&str, &str)]) -> Value {
    let samples: Vec<Value> = expected
        .iter()
        .map(|(alert, severity)| {
            let labels = format!(r#"{{alertname="{alert}", severity="{severity}"}}"#);
            json!({"labels": labels, "value": 1})
        })
        .collect();
    let expr = r#"sum by (alertname, severity) (ALERTS{alertstate="firing"})"#;
    json!({"expr": expr, "eval_time": time, "exp_samples": samples})
}
