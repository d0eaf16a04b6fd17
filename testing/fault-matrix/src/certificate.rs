//! What the API server proves itself and signs tokens with.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// Files in the PEM format.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The certificate; whoever trusts it trusts the server.
    pub certificate: PathBuf,
    /// Its key, which signs the tokens of ServiceAccounts too.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes a certificate of 127.0.0.1 in `folder`.
    pub fn make(folder: &Path) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".into(), "localhost".into()])?;
        let files = Self {
            certificate: folder.join("server.crt"),
            key: folder.join("server.key"),
        };
        std::fs::write(&files.certificate, made.cert.pem())?;
        std::fs::write(&files.key, made.signing_key.serialize_pem())?;
        Ok(files)
    }
}
