//! Takes out of an object what differs between two runs that came to the same.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use serde_json::{Number, Value};

/// Fields that no two runs have in common, or that say when and how often rather than what.
const VOLATILE: [&str; 16] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
    "observedGeneration",
    "lastTransitionTime",
    "clusterIP",
    "clusterIPs",
    "selfLink",
    "kubectl.kubernetes.io/last-applied-configuration",
    // The last reconcile that changed something: when, how long, in which trace.
    "reconcile",
    docket_crds::annotations::ROTATED_AT,
    "created_at",
    "retained_at",
    "tenant_uid",
];

/// What stands for what.
#[derive(Debug)]
pub(crate) struct Mask {
    names: Vec<Named>,
    hash: Regex,
}

#[derive(Debug)]
struct Named {
    name: String,
    /// The name as a number by itself: a port's digits may be part of any other number.
    number: Option<Regex>,
    stands_for: String,
}

impl Named {
    fn new((name, stands_for): (String, String)) -> Self {
        let digits = name.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| Regex::new(&format!(r"\b{name}\b")).expect("digits"));
        Self {
            name,
            number,
            stands_for,
        }
    }

    fn replace(&self, text: &str) -> String {
        match &self.number {
            Some(number) => number.replace_all(text, &self.stands_for).into_owned(),
            None => text.replace(&self.name, &self.stands_for),
        }
    }
}

impl Mask {
    /// A mask that replaces each first by its second.
    pub fn new(mut names: Vec<(String, String)>) -> Self {
        names.retain(|(name, _)| !name.is_empty());
        // One name may be part of another.
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self {
            names: names.into_iter().map(Named::new).collect(),
            hash: Regex::new(r"\b[0-9a-f]{12,}\b").expect("a constant that tests compile"),
        }
    }

    /// `value` as every run has it.
    pub fn apply(&self, value: Value) -> Value {
        match value {
            Value::Object(map) => map
                .into_iter()
                .filter(|(key, _)| !VOLATILE.contains(&key.as_str()))
                .map(|(key, value)| (self.text(&key), self.apply(value)))
                .collect(),
            Value::Array(list) => list.into_iter().map(|value| self.apply(value)).collect(),
            Value::String(text) => Value::String(self.text(&text)),
            Value::Number(number) => self.number(number),
            other => other,
        }
    }

    fn number(&self, number: Number) -> Value {
        let text = number.to_string();
        let named = self.names.iter().find(|named| named.name == text);
        named.map_or(Value::Number(number), |named| {
            named.stands_for.clone().into()
        })
    }

    fn text(&self, text: &str) -> String {
        let named = self
            .names
            .iter()
            .fold(text.to_owned(), |text, named| named.replace(&text));
        self.hash.replace_all(&named, "HASH").into_owned()
    }
}

/// The entries of a Secret as text, and as JSON where they are.
pub(crate) fn readable(secret: &mut Value) {
    let Some(data) = secret.get_mut("data").and_then(Value::as_object_mut) else {
        return;
    };
    for value in data.values_mut() {
        let text = value.as_str().and_then(decode).unwrap_or_default();
        let json = serde_json::from_str::<Value>(&text).ok();
        *value = json.filter(Value::is_object).unwrap_or(Value::String(text));
    }
}

/// What is behind an entry of a Secret.
pub(crate) fn decode(entry: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(entry).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_between_runs_is_taken_out_and_the_rest_stays() {
        let mask = Mask::new(vec![
            ("acme".into(), "TENANT".into()),
            ("acme_globex_1f2e3d4c5b6a".into(), "SCHEMA(globex)".into()),
        ]);
        let masked = mask.apply(json!({
            "metadata": {"name": "acme-api", "uid": "x", "annotations": {"hash": "0123456789abcdef"}},
            "spec": {"schema": "acme_globex_1f2e3d4c5b6a", "replicas": 2},
        }));
        assert_eq!(
            masked,
            json!({
                "metadata": {"name": "TENANT-api", "annotations": {"hash": "HASH"}},
                "spec": {"schema": "SCHEMA(globex)", "replicas": 2},
            })
        );
    }

    #[test]
    fn a_port_is_taken_out_where_it_is_a_number_by_itself() {
        let mask = Mask::new(vec![("34217".into(), "PORT".into())]);
        let masked = mask
            .apply(json!({"url": "http://127.0.0.1:34217/", "size": "134217728", "port": 34217}));
        assert_eq!(
            masked,
            json!({"url": "http://127.0.0.1:PORT/", "size": "134217728", "port": "PORT"})
        );
    }
}
