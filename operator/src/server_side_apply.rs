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
    use docket_crds::names::OPERATOR_FIELD_MANAGER;
    use kube::api::ValidationDirective;

    #[test]
    fn fields_are_taken_over_and_texts_are_read_once() {
        let params = applying(OPERATOR_FIELD_MANAGER);
        assert!(params.force);
        assert_eq!(
            params.field_manager.as_deref(),
            Some(OPERATOR_FIELD_MANAGER)
        );
        let validation = params.field_validation;
        assert!(matches!(validation, Some(ValidationDirective::Ignore)));
    }
}
