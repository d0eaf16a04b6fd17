//! Where the issuer's keys come from: its key set, or what its discovery document leads to (OpenID
//! Connect Discovery 1.0, 4).

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use docket_contract::Jwt;
use reqwest::{Certificate, Client, Url, redirect};
use serde::Deserialize;

use super::jwks::Jwks;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Far beyond any key set or discovery document.
const LARGEST: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Source {
    http: Client,
    issuer: String,
    jwks: Option<Url>,
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// # Errors
    /// When an address or a certificate makes no sense.
    pub(super) fn new(jwt: &Jwt) -> anyhow::Result<Self> {
        // Nobody but the issuer itself says where its keys are.
        let mut http = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none());
        if let Some(ca) = &jwt.ca {
            let authorities = Certificate::from_pem_bundle(ca.as_bytes())
                .context("the authorities of the issuer's certificate are no PEM")?;
            http = http.tls_certs_only(authorities);
        }
        let jwks = jwt.jwks_url.as_deref().map(Url::parse).transpose();
        Ok(Self {
            http: http.build()?,
            issuer: jwt.issuer.clone(),
            jwks: jwks.context("the address of the issuer's keys is no URL")?,
        })
    }

    /// The keys as they are now.
    pub(super) async fn fetch(&self) -> anyhow::Result<Jwks> {
        let url = match &self.jwks {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let document = self.get(url.clone()).await?;
        Jwks::parse(&document).map_err(|what| anyhow::anyhow!("{url} cannot be used: {what}"))
    }

    async fn discover(&self) -> anyhow::Result<Url> {
        let url = format!("{}{DISCOVERY}", self.issuer.trim_end_matches('/'));
        let url = Url::parse(&url).context("the issuer is no URL")?;
        let document = self.get(url.clone()).await?;
        let found: Discovered = serde_json::from_slice(&document)
            .with_context(|| format!("{url} is no discovery document"))?;
        ensure!(
            found.issuer == self.issuer,
            "{url} speaks of another issuer, {}",
            found.issuer
        );
        let keys = Url::parse(&found.jwks_uri)
            .with_context(|| format!("{url} leads to keys at what is no URL"))?;
        let downgrade = url.scheme() == "https" && keys.scheme() != "https";
        ensure!(!downgrade, "{url} leads to keys without TLS");
        Ok(keys)
    }

    async fn get(&self, url: Url) -> anyhow::Result<Vec<u8>> {
        let response = self.http.get(url.clone()).send().await?;
        let status = response.status();
        ensure!(status.is_success(), "{url} answered {status}");
        let (mut response, mut body) = (response, Vec::new());
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                bail!("{url} answered with more than {LARGEST} bytes");
            }
        }
        Ok(body)
    }
}
