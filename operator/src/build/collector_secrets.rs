//! What of the collector's configuration is for its eyes only: a second file, beside the API server's
//! own in one Secret ([0009](../../../docs/adr/0009-what-a-pod-needs-comes-in-its-one-file.md)). The
//! collector merges it into the first.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::collector_config::{OTLP_EXPORTER, literal};
use crate::validated_tenant::Telemetry;

/// Key of the Secret, and name of the mounted file.
pub(super) const FILE: &str = "collector.yaml";

/// The file, where there is anything to keep secret. JSON is YAML.
pub(super) fn file(telemetry: &Telemetry) -> Option<Vec<u8>> {
    telemetry.endpoint.as_ref()?;
    let mut exporter = Map::new();
    if let Some(certificate) = &telemetry.certificate {
        let (chain, key) = (&certificate.certificate, certificate.key.expose_secret());
        let tls = json!({"cert_pem": literal(chain), "key_pem": literal(key)});
        exporter.insert("tls".into(), tls);
    }
    let headers: Map<String, Value> = telemetry
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), literal(value.expose_secret()).into()))
        .collect();
    if !headers.is_empty() {
        exporter.insert("headers".into(), headers.into());
    }
    (!exporter.is_empty()).then(|| {
        let file = json!({"exporters": {OTLP_EXPORTER: exporter}});
        file.to_string().into_bytes()
    })
}
