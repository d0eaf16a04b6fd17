//! The Ingress: one host, the public paths.

use docket_crds::Ingress as Asked;
use docket_crds::names::api_name;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::metadata::metadata;
use super::public_path::{PublicPath, public_paths};
use super::service;
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant, asked: &Asked) -> Ingress {
    let name = api_name(&wanted.name);
    let tls = asked.tls_secret_ref.as_ref().map(|secret| IngressTLS {
        hosts: Some(vec![asked.host.clone()]),
        secret_name: Some(secret.name.clone()),
    });
    let mut metadata = metadata(wanted, name.clone());
    metadata.annotations = (!asked.annotations.is_empty()).then(|| asked.annotations.clone());
    Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: asked.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(asked.host.clone()),
                http: Some(HTTPIngressRuleValue {
                    paths: public_paths(wanted)
                        .map(|public| path(public, &name, wanted))
                        .collect(),
                }),
            }]),
            tls: tls.map(|tls| vec![tls]),
            ..IngressSpec::default()
        }),
        status: None,
    }
}

fn path(public: PublicPath, service: &str, wanted: &ValidatedTenant) -> HTTPIngressPath {
    let (path_type, path) = match public {
        PublicPath::Exact(path) => ("Exact", path),
        PublicPath::Prefix(path) => ("Prefix", path),
    };
    HTTPIngressPath {
        path: Some(path.into()),
        path_type: path_type.into(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: service.to_owned(),
                port: Some(ServiceBackendPort {
                    name: Some(service::scheme(wanted).into()),
                    number: None,
                }),
            }),
            resource: None,
        },
    }
}
