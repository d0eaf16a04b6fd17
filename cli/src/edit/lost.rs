//! Fields that the API server does not know and would drop in silence.

use serde_json::Value;

use crate::problem::Problem;

/// Refuses a spec of which not everything was taken.
pub(super) fn refuse(sent: &Value, taken: &Value) -> Result<(), Problem> {
    let mut lost = Vec::new();
    collect(sent, taken, "spec", &mut lost);
    match lost.is_empty() {
        true => Ok(()),
        false => Err(Problem::could_not_run(format!(
            "this cluster's DocumentTenant has no field {}; nothing was changed.",
            lost.join(", ")
        ))
        .advise("See what there is: kubectl explain documenttenant.spec --recursive")),
    }
}

fn collect(sent: &Value, taken: &Value, path: &str, lost: &mut Vec<String>) {
    match (sent, taken) {
        (Value::Object(sent), Value::Object(taken)) => {
            for (name, value) in sent {
                let path = format!("{path}.{name}");
                match taken.get(name) {
                    Some(taken) => collect(value, taken, &path, lost),
                    None if value.is_null() => {}
                    None => lost.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(taken)) => {
            for (at, (sent, taken)) in sent.iter().zip(taken).enumerate() {
                collect(sent, taken, &format!("{path}[{at}]"), lost);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_was_dropped_is_named_by_its_path() {
        let sent =
            json!({"clients": [{"name": "a", "qota": 1}], "api": {"replica": 3, "tls": null}});
        let taken = json!({"clients": [{"name": "a", "adopt": false}], "api": {"replicas": 2}});
        let problem = refuse(&sent, &taken).expect_err("dropped");
        let told = problem.to_string();
        assert!(
            told.contains("no field spec.api.replica, spec.clients[0].qota;"),
            "{told}"
        );
        assert_eq!(refuse(&taken, &taken), Ok(()));
    }
}
