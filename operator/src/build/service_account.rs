//! The ServiceAccount of the pods: an identity without any right, and without a token.

use docket_crds::names::api_name;
use k8s_openapi::api::core::v1::ServiceAccount;

use super::metadata::metadata;
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(wanted, api_name(&wanted.name)),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
