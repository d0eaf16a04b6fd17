//! The workloads that this program can serve: one line each.

use std::sync::Arc;

use docket_documents::Documents;
use docket_page_views::PageViews;
use docket_platform::Platform;
use docket_platform::tenant::Tenant;
use docket_platform::workload::Workload;

use crate::Settings;

/// Names of those that the configuration of `tenant` has, in the same order.
pub(crate) fn names(tenant: &Tenant) -> impl Iterator<Item = &'static str> {
    let asked = &tenant.workloads;
    let documents = asked.documents.iter().map(|_| docket_documents::NAME);
    documents.chain(asked.page_views.iter().map(|_| docket_page_views::NAME))
}

/// Those that the tenant's configuration has.
///
/// # Errors
/// When what the tenant wants of one makes no sense.
pub(crate) fn all(
    platform: &Platform,
    settings: &Settings,
) -> anyhow::Result<Vec<Arc<dyn Workload>>> {
    let asked = &platform.tenant.workloads;
    let mut all: Vec<Arc<dyn Workload>> = Vec::new();
    if let Some(config) = &asked.documents {
        let documents = Documents::new(platform, config, settings.documents()?)?;
        all.push(Arc::new(documents));
    }
    if let Some(config) = &asked.page_views {
        all.push(Arc::new(PageViews::new(platform, config)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use docket_crds::WorkloadName;
    use serde_json::json;

    #[test]
    fn a_workload_has_one_name_in_servers_specs_and_schemas() {
        let served = [docket_documents::NAME, docket_page_views::NAME];
        for name in served {
            let known: Result<WorkloadName, _> = serde_json::from_value(json!(name));
            assert_eq!(known.expect("a name of the spec").as_str(), name);
            assert!(docket_schema::workload(name).is_some(), "{name}");
        }
        let stored = docket_schema::WORKLOADS
            .iter()
            .map(|workload| workload.name);
        let mut stored = stored.filter(|name| *name != docket_schema::PLATFORM);
        assert!(stored.all(|name| served.contains(&name)));
    }
}
