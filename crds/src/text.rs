//! What text of several fields looks like.

/// A name that is part of a DNS name, or one of several with dots between.
pub(crate) const DNS_NAME: &str = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";

/// Key of a label or a taint: a name, perhaps with a domain and '/' before it.
pub(crate) const LABEL_KEY: &str =
    "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";

/// The same of an annotation, whose domain may have capitals.
pub(crate) const ANNOTATION_KEY: &str =
    "^([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";

/// Value of a label or a taint, which may be empty.
pub(crate) const LABEL_VALUE: &str = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";

/// One line of any text: it becomes part of headers, of files and of other objects.
pub(crate) const LINE: &str = "^[^[:cntrl:]]+$";

/// Any text, of several lines perhaps.
pub(crate) const LINES: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$";

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt as _;
    use serde_json::Value;

    use crate::DocumentTenant;

    /// What of the schema nobody writes but the operator, and is as long as what it has to say.
    const WRITTEN_BY_US: &str = ".status";

    /// Parts of rules that say what a text looks like, of itself or of each item.
    const FORMS: [&str; 7] = [
        "self.matches('^",
        "self.matches('(",
        "isQuantity(self) &&",
        "isURL(self) &&",
        "isCIDR(self)",
        "self in ['",
        ".matches('",
    ];

    /// Every text of `schema`, which is at `path`: its own schema, and the rules that are about it.
    fn texts(path: &str, schema: &Value, of_items: &[String], found: &mut Vec<(String, Text)>) {
        let mut rules = rules(schema);
        if schema["type"] == "string" {
            rules.extend_from_slice(of_items);
            let bound = schema["maxLength"].as_u64();
            let form = ["pattern", "format"]
                .iter()
                .any(|it| !schema[*it].is_null())
                || rules
                    .iter()
                    .any(|rule| FORMS.iter().any(|form| rule.contains(form)));
            let is_one_of = !schema["enum"].is_null();
            found.push((
                path.to_owned(),
                Text {
                    bound,
                    form,
                    is_one_of,
                },
            ));
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            texts(&format!("{path}.{name}"), field, &[], found);
        }
        let items: Vec<String> = rules
            .into_iter()
            .filter(|rule| rule.contains("self.all("))
            .collect();
        if schema["additionalProperties"].is_object() {
            let form = items
                .iter()
                .any(|rule| rule.contains("size(key) <= ") && rule.contains("key.matches('^"));
            let bound = schema["maxProperties"].as_u64();
            let keys = Text {
                bound,
                form,
                is_one_of: false,
            };
            found.push((format!("a key of {path}"), keys));
        }
        for (part, name) in [("items", "[]"), ("additionalProperties", "{}")] {
            if schema[part].is_object() {
                texts(&format!("{path}{name}"), &schema[part], &items, found);
            }
        }
    }

    struct Text {
        bound: Option<u64>,
        form: bool,
        is_one_of: bool,
    }

    fn rules(schema: &Value) -> Vec<String> {
        let rules = schema["x-kubernetes-validations"].as_array();
        let rules = rules.into_iter().flatten();
        rules
            .filter_map(|rule| Some(rule["rule"].as_str()?.to_owned()))
            .collect()
    }

    #[test]
    fn every_text_that_users_write_has_a_form_and_a_length() {
        let crd = serde_json::to_value(DocumentTenant::crd()).expect("the CRD serializes");
        let mut found = Vec::new();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        texts("", schema, &[], &mut found);
        let found: Vec<_> = found
            .into_iter()
            .filter(|(path, _)| !path.contains(WRITTEN_BY_US))
            .collect();
        assert!(found.len() > 60, "it looks at all: {}", found.len());
        let lacking: Vec<_> = found
            .iter()
            .filter(|(_, text)| !text.is_one_of && (text.bound.is_none() || !text.form))
            .map(|(path, text)| (path, text.bound, text.form))
            .collect();
        assert!(lacking.is_empty(), "{lacking:#?}");
    }
}
