//! An authority that signs certificates, as cert-manager would run one.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

/// A year that no test sees the end of.
const FAR: i32 = 2999;

/// An authority that nobody trusts unless told to.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both as PEM.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl Authority {
    /// A new one of this name.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn new(name: &str) -> Result<Self> {
        Self::until(name, FAR)
    }

    /// The same, trusted until this year.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn until(name: &str, year: i32) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(year, 1, 1);
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(Self(CertifiedIssuer::self_signed(
            params,
            KeyPair::generate()?,
        )?))
    }

    /// Its own certificate, as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name`, a host name or an address.
    ///
    /// # Errors
    /// It is no such name.
    pub fn certify(&self, name: &str) -> Result<Certificate> {
        self.certify_until(name, FAR)
    }

    /// The same, accepted until this year.
    ///
    /// # Errors
    /// It is no such name.
    pub fn certify_until(&self, name: &str, year: i32) -> Result<Certificate> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.not_after = date_time_ymd(year, 1, 1);
        Ok(Certificate {
            certificate: params.signed_by(&key, &self.0)?.pem(),
            key: key.serialize_pem(),
        })
    }
}
