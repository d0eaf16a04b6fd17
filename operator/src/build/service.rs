//! The Service: the API on port 80, or 443 with a certificate, the data store on its own.

use docket_contract::{API_PORT, DATA_STORE_PORT};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{api_metadata, selector};
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

pub(super) fn build(wanted: &ValidatedTenant) -> Service {
    let scheme = scheme(wanted);
    Service {
        metadata: api_metadata(wanted),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".into()),
            selector: Some(selector(wanted)),
            ports: Some(vec![
                port(scheme, scheme, public_port(wanted), API_PORT),
                port(
                    "data-store",
                    scheme,
                    DATA_STORE_PORT.into(),
                    DATA_STORE_PORT,
                ),
            ]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn port(name: &str, scheme: &str, port: i32, target: u16) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port,
        target_port: Some(IntOrString::Int(target.into())),
        protocol: Some("TCP".into()),
        app_protocol: Some(scheme.to_owned()),
        ..ServicePort::default()
    }
}
