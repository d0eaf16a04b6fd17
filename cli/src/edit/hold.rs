//! A tenant that holds still for a plan, and what it was before.

use docket_crds::annotations::{PLAN, SPEC_BEFORE_PLAN, ask_for_plan};
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use serde_json::Value;

use crate::problem::Problem;

/// Why a tenant holds still, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    No,
    /// By [`hold`]: the spec before is known.
    Here,
    /// By an annotation that somebody else set.
    ByHand,
}

impl Held {
    pub(crate) fn of(object: &DynamicObject) -> Self {
        let annotations = object.annotations();
        match (
            ask_for_plan(annotations),
            annotations.contains_key(SPEC_BEFORE_PLAN),
        ) {
            (false, _) => Self::No,
            (true, true) => Self::Here,
            (true, false) => Self::ByHand,
        }
    }
}

/// Lets a tenant hold still, with `spec` in the place of its own where there is one.
pub(crate) fn hold(object: &mut DynamicObject, spec: Option<&Value>) {
    if Held::of(object) == Held::No {
        let before = object.data["spec"].to_string();
        let annotations = object.annotations_mut();
        // What kills this program does not lose it.
        annotations.insert(SPEC_BEFORE_PLAN.to_owned(), before);
        annotations.insert(PLAN.to_owned(), "true".to_owned());
    }
    if let Some(spec) = spec {
        object.data["spec"] = spec.clone();
    }
}

/// Lets the operator at the tenant, as it is now.
pub(crate) fn carry_out(object: &mut DynamicObject) {
    object.annotations_mut().remove(PLAN);
    object.annotations_mut().remove(SPEC_BEFORE_PLAN);
}

/// Gives a tenant that [`hold`] held the spec of before, and lets the operator at it.
pub(crate) fn put_back(object: &mut DynamicObject) -> Result<(), Problem> {
    let before = object.annotations().get(SPEC_BEFORE_PLAN);
    let before = before.and_then(|before| serde_json::from_str(before).ok());
    let Some(before) = before else {
        let name = object.name_any();
        return Err(Problem::no(format!(
            "the annotation {PLAN} of {name} was set by hand, so nobody knows the spec before it."
        ))
        .advise(format!(
            "Apply that spec, then take the annotation away: kubectl annotate dt {name} {PLAN}-"
        )));
    };
    object.data["spec"] = before;
    carry_out(object);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tenant() -> DynamicObject {
        let object = json!({"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "annotations": {"of": "others"}}, "spec": {"clients": ["a"]}});
        serde_json::from_value(object).expect("an object")
    }

    #[test]
    fn what_is_put_back_is_what_was_there_however_often_it_was_planned() {
        let before = tenant();
        let mut object = tenant();
        for spec in [json!({"clients": ["b"]}), json!({"clients": ["c"]})] {
            hold(&mut object, Some(&spec));
            assert_eq!(
                (Held::of(&object), &object.data["spec"]),
                (Held::Here, &spec)
            );
        }
        put_back(&mut object).expect("the spec before");
        assert_eq!(object, before);
    }

    #[test]
    fn what_is_carried_out_leaves_the_new_spec_and_no_annotation_of_ours() {
        let mut object = tenant();
        let spec = json!({"clients": ["b"]});
        hold(&mut object, Some(&spec));
        carry_out(&mut object);
        assert_eq!((Held::of(&object), &object.data["spec"]), (Held::No, &spec));
        assert_eq!(object.annotations(), tenant().annotations());
    }

    #[test]
    fn a_plan_that_somebody_else_asked_for_cannot_be_put_back() {
        let mut object = tenant();
        object.annotations_mut().insert(PLAN.into(), "true".into());
        assert_eq!(Held::of(&object), Held::ByHand);
        let problem = put_back(&mut object).expect_err("nobody knows");
        assert!(
            problem
                .to_string()
                .contains(&format!("kubectl annotate dt acme {PLAN}-"))
        );
    }
}
