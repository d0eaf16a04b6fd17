//! The pods of the tenant that is checked, behind its Service.

use docket_crds::{labels, names};
use http::Request;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

/// Where they are.
pub(super) struct Pods {
    pub pods: Api<Pod>,
    pub tenant: String,
}

impl Pods {
    /// What each of them shows of itself to who scrapes it, through the API server's proxy.
    ///
    /// # Errors
    /// A sentence that says why that cannot be read.
    pub(super) async fn metrics(&self) -> Result<Vec<String>, String> {
        let unreadable = |error: kube::Error| {
            format!(
                "the pods' metrics cannot be read: {}",
                crate::problem::root(&error)
            )
        };
        let ours = ListParams::default().labels(&labels::of_tenant(&self.tenant));
        let pods = self.pods.list(&ours).await.map_err(unreadable)?;
        let client = self.pods.clone().into_client();
        let mut pages = Vec::new();
        for (pod, port) in pods.iter().filter_map(|pod| Some((pod, port(pod)?))) {
            let (url, name) = (self.pods.resource_url(), pod.name_any());
            let request = Request::get(format!("{url}/{name}:{port}/proxy/metrics"));
            let request = request
                .body(Vec::new())
                .map_err(|error| error.to_string())?;
            pages.push(client.request_text(request).await.map_err(unreadable)?);
        }
        Ok(pages)
    }
}

/// The port of probes and metrics.
fn port(pod: &Pod) -> Option<i32> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(names::OPERATIONS_PORT))?;
    Some(port.container_port)
}
