//! Refuses text of a spec that nothing behind it is made for. The schema does so too, and is not enough: an object may
//! have been stored before the rule was.

use docket_crds::{ConditionType, Ingress};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Problem, Result};
use crate::text_form::TextForm;

/// The schema lets in less of each, but of annotations.
const TEXT: TextForm = TextForm::line(4 * 1024);

/// Kubernetes takes four times as much of all together.
const ANNOTATION: TextForm = TextForm::lines(64 * 1024);

/// Looks at every text of `part`, which is at `path` of a tenant.
///
/// # Errors
/// The first that has a control character, such as the end of a line, or is too long.
pub(super) fn check(path: &str, part: &impl Serialize) -> Result<()> {
    let part = serde_json::to_value(part).expect("what came as JSON is JSON");
    match find(path, &part) {
        None => Ok(()),
        Some(sentence) => Err(Error::Permanent(Problem::new(
            ConditionType::Ready,
            "SpecInvalid",
            sentence,
        ))),
    }
}

/// What is to be mended of the first text that is wrong.
fn find(path: &str, part: &Value) -> Option<String> {
    match part {
        Value::String(text) => {
            // Controllers of an Ingress read snippets of several lines there.
            let is_annotation = path.starts_with(Ingress::ANNOTATIONS_PATH);
            let form = if is_annotation { ANNOTATION } else { TEXT };
            let what = form.check(text).err()?;
            Some(format!("Correct {path}: it {what}."))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| find(&format!("{path}[{at}]"), item))
        }
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, field)| match TEXT.check(name) {
                Err(what) => Some(format!("Correct a key of {path}: it {what}.")),
                Ok(()) => find(&format!("{path}.{name}"), field),
            }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(part: &Value) -> Option<String> {
        match check("spec", part) {
            Ok(()) => None,
            Err(error) => Some(error.problem().message),
        }
    }

    #[test]
    fn every_text_of_a_spec_is_looked_at_and_none_is_shown() {
        for (part, sentence) in [
            (
                json!({"a": {"region": "eu-central-1"}, "n": 1, "o": null}),
                None,
            ),
            (
                json!({"a": {"region": "hush\n"}}),
                Some("Correct spec.a.region: it has a line break, behind 4 bytes."),
            ),
            (
                json!({"list": ["a", "hush\0"]}),
                Some("Correct spec.list[1]: it has a NUL character, behind 4 bytes."),
            ),
            (
                json!({"map": {"hush\u{7f}": "a"}}),
                Some("Correct a key of spec.map: it has a control character, behind 4 bytes."),
            ),
            (
                json!({"a": "h".repeat(1 << 20)}),
                Some("Correct spec.a: it has 1048576 bytes, and may have 4096."),
            ),
            (
                json!({"api": {"ingress": {"annotations": {"snippet": "a\n\tb\r\n"}}}}),
                None,
            ),
            (
                json!({"api": {"ingress": {"annotations": {"snippet": "hush\0"}}}}),
                Some(
                    "Correct spec.api.ingress.annotations.snippet: it has a NUL character, behind 4 bytes.",
                ),
            ),
        ] {
            assert_eq!(told(&part).as_deref(), sentence);
        }
    }
}
