//! The Service of a component: of the API on port 80, or 443 with a certificate, the data store on its own.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::component::{Component, Port};
use super::metadata::{component_metadata, selector};
use crate::validated_tenant::ValidatedTenant;

/// What both listeners speak, and the name of the API's port.
pub(super) fn scheme(wanted: &ValidatedTenant) -> &'static str {
    match wanted.tls {
        Some(_) => "https",
        None => "http",
    }
}

/// The Service's port of the API.
pub(super) fn public_port(wanted: &ValidatedTenant) -> i32 {
    match wanted.tls {
        Some(_) => 443,
        None => 80,
    }
}

/// None for a component that nobody calls.
pub(super) fn build(wanted: &ValidatedTenant, component: &Component) -> Option<Service> {
    let ports: Vec<ServicePort> = component.ports.iter().filter_map(port).collect();
    (!ports.is_empty()).then(|| Service {
        metadata: component_metadata(wanted, component.name),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".into()),
            selector: Some(selector(wanted, component.name)),
            ports: Some(ports),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    })
}

fn port(port: &Port) -> Option<ServicePort> {
    Some(ServicePort {
        name: Some(port.name.to_owned()),
        port: port.of_service?,
        target_port: Some(IntOrString::Int(port.number.into())),
        protocol: Some("TCP".into()),
        app_protocol: Some(port.scheme.to_owned()),
        ..ServicePort::default()
    })
}
