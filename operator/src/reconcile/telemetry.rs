//! Decides how telemetry leaves the cluster. Whatever is wrong with that keeps nobody from being
//! served: then the collectors send nothing, and a condition says why.

use docket_crds::{DocumentTenant, labels};
use jiff::Timestamp;

use super::named_secrets::{NamedSecrets, SecretField};
use crate::build::Images;
use crate::credentials::certificate::{self, Authorities, Certificate};
use crate::credentials::headers::{self, Headers};
use crate::error::{Error, Result};
use crate::validated_tenant::{Notice, Telemetry};

const CA: SecretField<'_> = SecretField::of_collectors("spec.telemetry.tls.caSecretRef");
const CERTIFICATE: SecretField<'_> =
    SecretField::of_collectors("spec.telemetry.tls.certificateSecretRef");
const HEADERS: SecretField<'_> = SecretField::of_collectors("spec.telemetry.headersSecretRef")
    .sent_as(labels::TELEMETRY_HEADERS);

/// What the Secrets hold that `spec.telemetry` names.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    authorities: Option<Authorities>,
    certificate: Option<Certificate>,
    headers: Headers,
}

/// Reads the Secrets, or says what is wrong with the first that cannot be used.
pub(super) async fn credentials(
    spec: &docket_crds::Telemetry,
    secrets: &NamedSecrets<'_>,
) -> Result<Result<Credentials, Notice>> {
    match read(spec, secrets).await {
        Ok(credentials) => Ok(Ok(credentials)),
        Err(Error::Permanent(problem)) => Ok(Err(Notice {
            reason: problem.reason,
            message: problem.message,
        })),
        Err(error) => Err(error),
    }
}

async fn read(spec: &docket_crds::Telemetry, secrets: &NamedSecrets<'_>) -> Result<Credentials> {
    let tls = spec.tls.as_ref();
    let ca = tls.and_then(|tls| tls.ca_secret_ref.as_ref());
    let certificate = tls.and_then(|tls| tls.certificate_secret_ref.as_ref());
    let headers = spec.headers_secret_ref.as_ref();
    Ok(Credentials {
        authorities: secrets
            .read_optional(ca, CA, certificate::authorities)
            .await?,
        certificate: secrets
            .read_optional(certificate, CERTIFICATE, Certificate::from_secret)
            .await?,
        headers: secrets
            .read_optional(headers, HEADERS, headers::from_secret)
            .await?
            .unwrap_or_default(),
    })
}

/// What becomes of `spec.telemetry`.
pub(super) fn telemetry(
    tenant: &DocumentTenant,
    credentials: &Result<Credentials, Notice>,
    images: &Images,
    now: Timestamp,
) -> Telemetry {
    let spec = &tenant.spec.telemetry;
    let endpoint = spec
        .endpoint
        .as_ref()
        .or(images.telemetry_endpoint.as_ref());
    let recorded = Telemetry {
        redacted: spec
            .redaction
            .as_ref()
            .map(|redaction| redaction.patterns.clone())
            .unwrap_or_default(),
        sampling_ratio: spec
            .sampling
            .as_ref()
            .map(|sampling| sampling.ratio.clone()),
        ..Telemetry::default()
    };
    let credentials = match credentials {
        Ok(credentials) => credentials,
        Err(trouble) => {
            return Telemetry {
                trouble: Some(silent(trouble)),
                ..recorded
            };
        }
    };
    if let (Some(_), Some(endpoint)) = (&spec.tls, endpoint)
        && !endpoint.starts_with("https://")
    {
        return Telemetry {
            trouble: Some(silent(&Notice {
                reason: "EndpointWithoutTls",
                message: format!(
                    "Name an endpoint that starts with https:// in spec.telemetry, or remove its tls: the operator's \
                     own endpoint {endpoint} has no TLS."
                ),
            })),
            ..recorded
        };
    }
    if let (Some(_), false, Some(endpoint)) = (&spec.headers_secret_ref, spec.allow_http, endpoint)
        && !endpoint.starts_with("https://")
    {
        return Telemetry {
            trouble: Some(silent(&Notice {
                reason: "EndpointWithoutTls",
                message: format!(
                    "Name an endpoint that starts with https:// in spec.telemetry, or say its allowHttp: true: the \
                     operator's own endpoint {endpoint} has no TLS, and whoever is on the way reads the headers."
                ),
            })),
            ..recorded
        };
    }
    Telemetry {
        endpoint: endpoint.cloned(),
        authorities: credentials
            .authorities
            .as_ref()
            .map(|authorities| authorities.pem.clone()),
        certificate: credentials
            .certificate
            .as_ref()
            .map(|certificate| certificate.tls.clone()),
        server_name: spec.tls.as_ref().and_then(|tls| tls.server_name.clone()),
        headers: credentials.headers.clone(),
        trouble: out_of_date(credentials, now),
        ..recorded
    }
}

fn silent(trouble: &Notice) -> Notice {
    Notice {
        reason: trouble.reason,
        message: format!(
            "{} Until then the collectors send nothing.",
            trouble.message
        ),
    }
}

/// What is refused is tried again, so what waits is sent once the certificate is another, or its day has
/// come.
fn out_of_date(credentials: &Credentials, now: Timestamp) -> Option<Notice> {
    let (own, trusted) = (&credentials.certificate, &credentials.authorities);
    let (reason, what) = match (own, trusted) {
        (Some(own), _) if own.not_after < now => (
            "CertificateExpired",
            format!(
                "Renew the certificate that {} names: it was valid until {}.",
                CERTIFICATE.path, own.not_after
            ),
        ),
        (Some(own), _) if now < own.not_before => (
            "CertificateNotYetValid",
            format!(
                "Wait, or give {} another certificate: the one it names is valid from {} on.",
                CERTIFICATE.path, own.not_before
            ),
        ),
        (_, Some(trusted)) if trusted.not_after < now => (
            "AuthorityExpired",
            format!(
                "Renew the authorities that {} names: the last was valid until {}, and the collectors trust no \
                 endpoint without one.",
                CA.path, trusted.not_after
            ),
        ),
        _ => return None,
    };
    Some(Notice {
        reason,
        message: format!("{what} What does not get out waits in the collectors."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_contract::Tls;
    use serde_json::json;

    fn decided(telemetry: serde_json::Value, default_endpoint: Option<&str>) -> Telemetry {
        let tenant: DocumentTenant = serde_json::from_value(json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant", "metadata": {"name": "acme"},
            "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "s"}}}}},
                "telemetry": telemetry},
        }))
        .expect("a tenant");
        let images = Images {
            api: "api".into(),
            collector: "collector".into(),
            telemetry_endpoint: default_endpoint.map(Into::into),
            ..Images::default()
        };
        let credentials = Ok(Credentials::default());
        super::telemetry(&tenant, &credentials, &images, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_tenant_that_names_no_endpoint_gets_that_of_the_operator() {
        let default = Some("http://default:4317");
        let own = json!({"endpoint": "http://own:4317"});
        assert_eq!(decided(json!({}), default).endpoint.as_deref(), default);
        assert_eq!(
            decided(own, default).endpoint.as_deref(),
            Some("http://own:4317")
        );
        assert_eq!(decided(json!({}), None).endpoint, None);
    }

    #[test]
    fn what_should_go_over_tls_does_not_go_to_an_endpoint_of_the_operator_without() {
        let tls = json!({"tls": {"serverName": "gateway"}});
        let decided_for = |default| decided(tls.clone(), Some(default));
        let plain = decided_for("http://default:4317");
        let reason = plain.trouble.map(|trouble| trouble.reason);
        assert_eq!((plain.endpoint, reason), (None, Some("EndpointWithoutTls")));
        let sealed = decided_for("https://default:4317");
        assert_eq!(sealed.trouble, None);
        assert_eq!(sealed.server_name.as_deref(), Some("gateway"));
    }

    #[test]
    fn headers_go_to_an_endpoint_of_the_operator_without_tls_only_if_that_is_said() {
        let headers = |said: bool| json!({"headersSecretRef": {"name": "h"}, "allowHttp": said});
        let plain = Some("http://default:4317");
        let refused = decided(headers(false), plain);
        let reason = refused.trouble.map(|trouble| trouble.reason);
        let expected = (None, Some("EndpointWithoutTls"));
        assert_eq!((refused.endpoint, reason), expected);
        let said = decided(headers(true), plain);
        assert_eq!((said.endpoint.as_deref(), said.trouble), (plain, None));
        let sealed = decided(headers(false), Some("https://default:4317"));
        assert_eq!(sealed.trouble, None);
    }

    #[test]
    fn a_certificate_is_in_date_from_its_first_second_to_its_last_and_some_authority_must_be() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let said = |own: Option<[i64; 2]>, trusted: Option<i64>, now| {
            let credentials = Credentials {
                certificate: own.map(|[first, last]| Certificate {
                    tls: Tls {
                        certificate: String::new(),
                        key: "".into(),
                    },
                    not_before: at(first),
                    not_after: at(last),
                }),
                authorities: trusted.map(|last| Authorities {
                    pem: String::new(),
                    not_after: at(last),
                }),
                ..Credentials::default()
            };
            out_of_date(&credentials, at(now)).map(|notice| notice.reason)
        };
        let own = Some([10, 20]);
        assert_eq!(said(own, None, 9), Some("CertificateNotYetValid"));
        assert_eq!(said(own, Some(20), 10), None);
        assert_eq!(said(own, Some(20), 20), None);
        assert_eq!(said(own, None, 21), Some("CertificateExpired"));
        assert_eq!(said(own, Some(14), 15), Some("AuthorityExpired"));
        assert_eq!(said(None, None, 21), None);
    }
}
