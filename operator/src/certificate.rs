//! Certificates of Secrets: that of the API, and the authorities of a token issuer's.

use std::collections::BTreeMap;

use docket_contract::Tls;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// Keys of a Secret of the type `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
/// Key of a Secret with authorities.
const AUTHORITIES: &str = "ca.crt";

/// A certificate that can be served.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Chain and key.
    pub tls: Tls,
    /// The last second in which callers accept it.
    pub not_after: Timestamp,
}

impl Certificate {
    /// The certificate and key of a Secret.
    ///
    /// # Errors
    /// A sentence that says what is missing, unreadable or not a pair.
    pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Result<Self, String> {
        let (certificate, key) = (text(data, CERTIFICATE)?, text(data, KEY)?);
        let chain = chain(certificate, CERTIFICATE)?;
        let der = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| format!("{KEY} is no private key in PEM ({error})"))?;
        let not_after = not_after(&chain[0])?;
        // What the API servers do at their start.
        CertifiedKey::from_der(chain, der, &ring::default_provider()).map_err(
            |error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("{KEY} is not the key of the certificate in {CERTIFICATE}")
                }
                error => format!("{CERTIFICATE} and {KEY} cannot be served ({error})"),
            },
        )?;
        Ok(Self {
            tls: Tls {
                certificate: certificate.to_owned(),
                key: key.into(),
            },
            not_after,
        })
    }
}

/// The authorities of a Secret, as PEM.
///
/// # Errors
/// A sentence that says what is missing or unreadable.
pub fn authorities(data: &BTreeMap<String, ByteString>) -> Result<String, String> {
    let authorities = text(data, AUTHORITIES)?;
    for authority in chain(authorities, AUTHORITIES)? {
        not_after(&authority)?;
    }
    Ok(authorities.to_owned())
}

fn text<'a>(data: &'a BTreeMap<String, ByteString>, key: &str) -> Result<&'a str, String> {
    data.get(key)
        .and_then(|bytes| std::str::from_utf8(&bytes.0).ok())
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("it has no key {key:?}, or an empty one"))
}

/// At least one certificate.
fn chain(pem: &str, key: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("{key} holds no certificate in PEM")),
        Err(error) => Err(format!("{key} is no PEM ({error})")),
    }
}

fn not_after(certificate: &CertificateDer<'_>) -> Result<Timestamp, String> {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    let (_, parsed) = parsed.map_err(|error| format!("a certificate cannot be read ({error})"))?;
    Timestamp::from_second(parsed.validity().not_after.timestamp())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn pair() -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["acme-api.acme.svc".to_owned()]).expect("names");
        params.not_after = date_time_ymd(2020, 1, 2);
        let certificate = params.self_signed(&key).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    fn secret(entries: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())))
            .collect()
    }

    #[test]
    fn a_pair_is_taken_as_it_is_with_the_time_of_its_end() {
        let (certificate, key) = pair();
        let seen = secret(&[("tls.crt", &certificate), ("tls.key", &key)]);
        let seen = Certificate::from_secret(&seen).expect("a certificate");
        assert_eq!(seen.tls.certificate, certificate);
        assert_eq!(seen.not_after.to_string(), "2020-01-02T00:00:00Z");
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_a_sentence() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        for (entries, sentence) in [
            (&[][..], "it has no key \"tls.crt\", or an empty one"),
            (
                &[("tls.crt", &*certificate)],
                "it has no key \"tls.key\", or an empty one",
            ),
            (
                &[("tls.crt", ""), ("tls.key", &key)],
                "it has no key \"tls.crt\", or an empty one",
            ),
            (
                &[("tls.crt", "nonsense"), ("tls.key", &key)],
                "tls.crt holds no certificate in PEM",
            ),
            (
                &[("tls.crt", &key), ("tls.key", &key)],
                "tls.crt holds no certificate in PEM",
            ),
            (
                &[("tls.crt", &certificate), ("tls.key", "nonsense")],
                "tls.key is no private key in PEM",
            ),
            (
                &[("tls.crt", &certificate), ("tls.key", &other)],
                "tls.key is not the key of the certificate",
            ),
        ] {
            let refusal = Certificate::from_secret(&secret(entries)).expect_err("refused");
            assert!(refusal.starts_with(sentence), "{refusal}");
        }
    }

    #[test]
    fn authorities_are_certificates() {
        let (certificate, key) = pair();
        let two = format!("{certificate}{certificate}");
        assert_eq!(authorities(&secret(&[("ca.crt", &two)])), Ok(two.clone()));
        assert!(authorities(&secret(&[("ca.crt", &key)])).is_err());
        assert!(authorities(&secret(&[])).is_err());
    }
}
