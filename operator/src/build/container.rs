//! What both containers of a pod share: probes, resources, and rights that Pod Security
//! "restricted" allows.

use k8s_openapi::api::core::v1::{
    Capabilities, EnvVar, EnvVarSource, HTTPGetAction, ObjectFieldSelector, Probe,
    ResourceFieldSelector, ResourceRequirements, SecretKeySelector, SecurityContext, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use docket_crds::{ResourceList, Resources};

pub(super) fn security_context() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".into()]),
            ..Capabilities::default()
        }),
        ..SecurityContext::default()
    }
}

pub(super) fn resources(resources: &Resources) -> ResourceRequirements {
    let quantities = |list: &ResourceList| {
        [("cpu", &list.cpu), ("memory", &list.memory)]
            .into_iter()
            .filter_map(|(name, amount)| Some((name.to_owned(), Quantity(amount.clone()?))))
            .collect()
    };
    ResourceRequirements {
        requests: resources.requests.as_ref().map(quantities),
        limits: resources.limits.as_ref().map(quantities),
        ..ResourceRequirements::default()
    }
}

/// The kubelet looks at no certificate.
pub(super) fn http_get(path: &str, port: u16) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(port.into()),
            ..HTTPGetAction::default()
        }),
        ..Probe::default()
    }
}

pub(super) fn env(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.into()),
        value_from: None,
    }
}

pub(super) fn env_from_field(name: &str, field: &str) -> EnvVar {
    let field_ref = ObjectFieldSelector {
        field_path: field.to_owned(),
        ..Default::default()
    };
    env_from(
        name,
        EnvVarSource {
            field_ref: Some(field_ref),
            ..EnvVarSource::default()
        },
    )
}

/// A resource of the container itself, as a number of the smallest unit.
pub(super) fn env_from_resource(name: &str, resource: &str) -> EnvVar {
    let resource_field_ref = ResourceFieldSelector {
        resource: resource.to_owned(),
        ..ResourceFieldSelector::default()
    };
    env_from(
        name,
        EnvVarSource {
            resource_field_ref: Some(resource_field_ref),
            ..EnvVarSource::default()
        },
    )
}

pub(super) fn env_from_secret(key: &str, secret: &str) -> EnvVar {
    let secret_key_ref = SecretKeySelector {
        name: secret.to_owned(),
        key: key.to_owned(),
        optional: None,
    };
    env_from(
        key,
        EnvVarSource {
            secret_key_ref: Some(secret_key_ref),
            ..EnvVarSource::default()
        },
    )
}

fn env_from(name: &str, source: EnvVarSource) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(source),
    }
}

pub(super) fn read_only(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        read_only: Some(true),
        ..read_write(volume, path)
    }
}

pub(super) fn read_write(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}
