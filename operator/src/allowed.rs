//! What the operator's settings let tenants choose that others trust the operator with: whoever may write a tenant
//! need not be allowed to run any image, or to make any Ingress.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use docket_crds::{DocumentTenantSpec, Ingress};

/// Annotation that said which controller serves an Ingress before it had a class, and that controllers still obey.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// Choices that a sentence lists.
const MOST: usize = 5;

/// A text, or with `*` behind a separator all that begins as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let before = text.strip_suffix('*').unwrap_or(text);
        let is_whole = before.len() == text.len() || before.is_empty();
        let is_text = !text.is_empty() && !before.contains(['*', ' ']);
        // Who owns registry.example.com does not own registry.example.company.
        match is_text && (is_whole || before.ends_with(['/', ':', '@'])) {
            true => Ok(Self(text.to_owned())),
            false => Err(
                "it is a text, or one that ends in /*, :* or @* for all that begins with it".into(),
            ),
        }
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => text == self.0,
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tenants may choose; of a list that is empty, anything.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Images of their pods. Those that the operator is told of itself are always allowed.
    pub images: Vec<Pattern>,
    /// Keys of annotations of an Ingress.
    pub ingress_annotations: Vec<Pattern>,
    /// Classes of an Ingress.
    pub ingress_classes: Vec<Pattern>,
}

impl Allowed {
    /// Why an image that `spec` names is not allowed, if one is not.
    pub(crate) fn refused_image(&self, spec: &DocumentTenantSpec) -> Option<String> {
        let named = [
            ("spec.api.image", &spec.api.image),
            (
                "spec.telemetry.collector.image",
                &spec.telemetry.collector.image,
            ),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(path, image)| Some((path, image.as_ref()?)));
        let (path, image) = named.find(|(_, image)| !allows(&self.images, image))?;
        Some(format!(
            "Take {path} out, or name an image that the operator allows: it is {image}, and {}.",
            listed("images", &self.images)
        ))
    }

    /// Why `ingress` is not allowed, if it is not.
    pub(crate) fn refused_ingress(&self, ingress: &Ingress) -> Option<String> {
        let foreign = ingress
            .annotations
            .keys()
            .find(|key| *key != CLASS_ANNOTATION && !allows(&self.ingress_annotations, key));
        if let Some(key) = foreign {
            return Some(format!(
                "Take the annotation {key} out of spec.api.ingress: the operator does not allow it, and {}.",
                listed("annotations", &self.ingress_annotations)
            ));
        }
        if self.ingress_classes.is_empty() {
            return None;
        }
        let by_annotation = ingress.annotations.get(CLASS_ANNOTATION);
        let named: Vec<&String> = ingress.class_name.iter().chain(by_annotation).collect();
        let is_allowed = |class: &&String| allows(&self.ingress_classes, class);
        if !named.is_empty() && named.iter().all(is_allowed) {
            return None;
        }
        Some(format!(
            "Name a class that the operator allows in spec.api.ingress.className: {}.",
            listed("classes", &self.ingress_classes)
        ))
    }
}

fn allows(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}

fn listed(what: &str, patterns: &[Pattern]) -> String {
    let named: Vec<String> = patterns
        .iter()
        .take(MOST)
        .map(ToString::to_string)
        .collect();
    let more = match patterns.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the {what} that it allows are {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts
            .iter()
            .map(|text| text.parse().expect("a pattern"))
            .collect()
    }

    #[test]
    fn a_pattern_ends_where_a_name_does() {
        for (pattern, text, matches) in [
            ("a.example.com/docket/*", "a.example.com/docket/api:1", true),
            (
                "a.example.com/docket/*",
                "a.example.com/docket-evil/api:1",
                false,
            ),
            (
                "a.example.com/docket/*",
                "b.example.com/a.example.com/docket/api",
                false,
            ),
            ("docket/api:*", "docket/api:1", true),
            ("docket/api@*", "docket/api@sha256:0", true),
            ("docket/api:1", "docket/api:12", false),
            ("*", "anything", true),
        ] {
            let [pattern] = &*patterns(&[pattern]) else {
                panic!("one pattern");
            };
            assert_eq!(pattern.matches(text), matches, "{pattern} {text}");
        }
        for wrong in [
            "",
            "a*",
            "a.example.com*",
            "*/a",
            "a/*/b",
            "**",
            "two words",
        ] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
    }

    fn spec(api: Value, collector: Value) -> DocumentTenantSpec {
        serde_json::from_value(json!({
            "clients": [{"name": "globex"}], "database": {"secretRef": {"name": "d"}}, "workloads": {},
            "api": api, "telemetry": {"collector": collector},
        }))
        .expect("a spec")
    }

    #[test]
    fn images_of_both_containers_are_bounded_and_the_operators_own_are_not() {
        let allowed = Allowed {
            images: patterns(&["a.example.com/*"]),
            ..Allowed::default()
        };
        let (ours, theirs) = (
            json!({"image": "a.example.com/api"}),
            json!({"image": "evil"}),
        );
        let refused = |allowed: &Allowed, api: &Value, collector: &Value| {
            allowed.refused_image(&spec(api.clone(), collector.clone()))
        };
        assert_eq!(refused(&allowed, &json!({}), &json!({})), None);
        assert_eq!(refused(&allowed, &ours, &ours), None);
        assert_eq!(
            refused(&allowed, &theirs, &ours).as_deref(),
            Some(
                "Take spec.api.image out, or name an image that the operator allows: it is evil, and the images that \
                  it allows are a.example.com/*."
            )
        );
        let collector = refused(&allowed, &ours, &theirs).expect("refused");
        assert!(
            collector.contains("spec.telemetry.collector.image"),
            "{collector}"
        );
        assert_eq!(refused(&Allowed::default(), &theirs, &theirs), None);
    }

    #[test]
    fn an_ingress_has_a_class_and_annotations_that_are_allowed() {
        let allowed = Allowed {
            ingress_annotations: patterns(&["cert-manager.io/*"]),
            ingress_classes: patterns(&["public"]),
            ..Allowed::default()
        };
        let refused = |allowed: &Allowed, ingress: Value| {
            let mut whole = json!({"host": "acme.example.com"});
            for (name, value) in ingress.as_object().expect("fields") {
                whole[name] = value.clone();
            }
            allowed.refused_ingress(&serde_json::from_value(whole).expect("an Ingress"))
        };
        let annotated = |key: &str| json!({"className": "public", "annotations": {key: "value"}});
        assert_eq!(refused(&allowed, annotated("cert-manager.io/issuer")), None);
        let told = refused(
            &allowed,
            annotated("nginx.ingress.kubernetes.io/server-snippet"),
        );
        assert_eq!(
            told.as_deref(),
            Some(
                "Take the annotation nginx.ingress.kubernetes.io/server-snippet out of spec.api.ingress: the operator \
                  does not allow it, and the annotations that it allows are cert-manager.io/*."
            )
        );
        let by_annotation = |class: &str| json!({"annotations": {CLASS_ANNOTATION: class}});
        assert_eq!(refused(&allowed, by_annotation("public")), None);
        for wrong in [
            json!({}),
            json!({"className": "internal"}),
            by_annotation("internal"),
            json!({"className": "public", "annotations": {CLASS_ANNOTATION: "internal"}}),
        ] {
            let told = refused(&allowed, wrong.clone()).unwrap_or_default();
            assert!(told.starts_with("Name a class that"), "{wrong}: {told}");
        }
        let anything = json!({"className": "internal", "annotations": {"a/b": "c"}});
        assert_eq!(refused(&Allowed::default(), anything), None);
    }
}
