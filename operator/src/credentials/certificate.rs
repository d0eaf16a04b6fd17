//! Certificates of Secrets: that of the API, and the authorities of a token issuer's.

use std::collections::BTreeMap;

use docket_contract::Tls;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::text_form::TextForm;

/// Keys of a Secret of the type `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
/// Key of a Secret with authorities.
const AUTHORITIES: &str = "ca.crt";

/// All authorities that everybody trusts are not as much, and a Secret of ours has to hold it.
const PEM: TextForm = TextForm::lines(256 * 1024);

/// A certificate that can be served.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Chain and key.
    pub tls: Tls,
    /// The first second in which it is accepted.
    pub not_before: Timestamp,
    /// The last one.
    pub not_after: Timestamp,
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// One certificate or more.
    pub pem: String,
    /// The last second in which any of them is trusted.
    pub not_after: Timestamp,
}

impl Certificate {
    /// The certificate and key of a Secret.
    ///
    /// # Errors
    /// A sentence that says what is missing, unreadable or not a pair.
    pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Result<Self, String> {
        let (certificate, key) = (PEM.required(data, CERTIFICATE)?, PEM.required(data, KEY)?);
        let chain = chain(certificate, CERTIFICATE)?;
        // What is said of a line that is wrong quotes it.
        let der = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| format!("{KEY} is no private key in PEM"))?;
        let [not_before, not_after] = validity(&chain[0])?;
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
            not_before,
            not_after,
        })
    }
}

/// The authorities of a Secret.
///
/// # Errors
/// A sentence that says what is missing or unreadable.
pub fn authorities(data: &BTreeMap<String, ByteString>) -> Result<Authorities, String> {
    let pem = PEM.required(data, AUTHORITIES)?;
    let mut last = Timestamp::MIN;
    for authority in chain(pem, AUTHORITIES)? {
        let [_, not_after] = validity(&authority)?;
        last = last.max(not_after);
    }
    Ok(Authorities {
        pem: pem.to_owned(),
        not_after: last,
    })
}

/// At least one certificate.
fn chain(pem: &str, key: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("{key} holds no certificate in PEM")),
        Err(_) => Err(format!("{key} is no PEM")),
    }
}

/// The first and the last second of a certificate.
fn validity(certificate: &CertificateDer<'_>) -> Result<[Timestamp; 2], String> {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    let (_, parsed) = parsed.map_err(|error| format!("a certificate cannot be read ({error})"))?;
    let at = |second| Timestamp::from_second(second).map_err(|error| error.to_string());
    let validity = parsed.validity();
    Ok([
        at(validity.not_before.timestamp())?,
        at(validity.not_after.timestamp())?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn pair() -> (String, String) {
        pair_until(2020)
    }

    fn pair_until(year: i32) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["acme-api.acme.svc".to_owned()]).expect("names");
        params.not_before = date_time_ymd(2019, 1, 2);
        params.not_after = date_time_ymd(year, 1, 2);
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
    fn a_pair_is_taken_as_it_is_with_the_times_of_its_begin_and_end() {
        let (certificate, key) = pair();
        let seen = secret(&[("tls.crt", &certificate), ("tls.key", &key)]);
        let seen = Certificate::from_secret(&seen).expect("a certificate");
        assert_eq!(seen.tls.certificate, certificate.trim_end());
        assert_eq!(seen.not_before.to_string(), "2019-01-02T00:00:00Z");
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
    fn a_key_whose_lines_were_lost_is_refused_without_a_byte_of_it() {
        let (certificate, key) = pair();
        let key = key.replace('\n', " ");
        let refusal =
            Certificate::from_secret(&secret(&[("tls.crt", &certificate), ("tls.key", &key)]));
        assert_eq!(
            refusal.expect_err("refused"),
            "tls.key is no private key in PEM"
        );
    }

    #[test]
    fn authorities_are_certificates_and_trusted_for_as_long_as_one_of_them_is() {
        let ((certificate, key), (longer, _)) = (pair(), pair_until(2021));
        let two = format!("{longer}{certificate}");
        let seen = authorities(&secret(&[("ca.crt", &two)])).expect("authorities");
        assert_eq!(seen.pem, two.trim_end());
        assert_eq!(seen.not_after.to_string(), "2021-01-02T00:00:00Z");
        assert!(authorities(&secret(&[("ca.crt", &key)])).is_err());
        assert!(authorities(&secret(&[])).is_err());
    }
}
