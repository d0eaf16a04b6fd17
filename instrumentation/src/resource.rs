//! Who is speaking: the resource of every span, metric and log record.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_semantic_conventions::resource::{SERVICE_NAME, SERVICE_VERSION};

/// The binary that is instrumented.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// `service.name`, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` says otherwise.
    pub name: &'static str,
    /// `service.version`.
    pub version: &'static str,
    /// Traces that begin here and are recorded, unless `OTEL_TRACES_SAMPLER` says otherwise; `None`:
    /// all. One that the caller began is recorded as the caller decided.
    pub traces_per_second: Option<u32>,
}

impl Service {
    pub(crate) fn resource(self, name_from_env: Option<String>) -> Resource {
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes([
                KeyValue::new(SERVICE_NAME, self.name),
                KeyValue::new(SERVICE_VERSION, self.version),
            ])
            .with_detector(Box::new(EnvResourceDetector::new()));
        match name_from_env.filter(|name| !name.is_empty()) {
            Some(name) => resource.with_service_name(name).build(),
            None => resource.build(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::Key;

    const SERVICE: Service = Service {
        name: "docket-api",
        version: "1.2.3",
        traces_per_second: None,
    };

    fn attribute(resource: &Resource, key: &'static str) -> String {
        resource
            .get(&Key::new(key))
            .map(|value| value.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn the_binary_names_itself_and_its_version() {
        let resource = SERVICE.resource(None);
        assert_eq!(attribute(&resource, SERVICE_NAME), "docket-api");
        assert_eq!(attribute(&resource, SERVICE_VERSION), "1.2.3");
    }

    #[test]
    fn the_environment_wins_over_the_binary() {
        let resource = SERVICE.resource(Some("acme-api".into()));
        assert_eq!(attribute(&resource, SERVICE_NAME), "acme-api");
    }
}
