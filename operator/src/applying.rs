//! How objects are applied.

use kube::api::PatchParams;

/// Server-side apply as `manager`, which is right about each field that it names. The API server is not to
/// look for fields that it does not know: there are none, and it would read each text a second time.
pub(crate) fn applying(manager: &str) -> PatchParams {
    PatchParams::apply(manager).force().validation_ignore()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::api::ValidationDirective;

    #[test]
    fn fields_are_taken_over_and_texts_are_read_once() {
        let params = applying("docket-operator");
        assert!(params.force);
        assert_eq!(params.field_manager.as_deref(), Some("docket-operator"));
        let validation = params.field_validation;
        assert!(matches!(validation, Some(ValidationDirective::Ignore)));
    }
}
