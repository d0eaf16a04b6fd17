//! The CRD as YAML.

use kube::CustomResourceExt;

use crate::DocumentTenant;

/// The `CustomResourceDefinition` of [`DocumentTenant`], as the chart ships it.
///
/// # Panics
/// Never in a build whose tests pass: the schema is constant and serializes.
#[must_use]
pub fn custom_resource_definition_yaml() -> String {
    let yaml = serde_yaml::to_string(&DocumentTenant::crd()).expect("the CRD serializes");
    format!("# Generated from crds/src by `make crds`; a test fails when it is stale.\n{yaml}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_ships_the_crd_that_the_types_describe() {
        let shipped = include_str!("../../charts/docket/files/documenttenants.docket.dev.yaml");
        assert!(
            shipped == custom_resource_definition_yaml(),
            "charts/docket/files/documenttenants.docket.dev.yaml is stale: run `make crds`"
        );
    }
}
