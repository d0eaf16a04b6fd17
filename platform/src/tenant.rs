//! The tenant as the server uses it: checked once at the start, looked up at every request.

mod keys;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use docket_contract::{
    AuthMode, ClientLimits, Database, Jwt, OwnIssuer, TenantConfig, TenantLimits, Tls, Workloads,
    hash_api_key,
};
use parking_lot::RwLock;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use self::keys::Keys;
use crate::error::Error;
use crate::middleware::auth::Actor;
use crate::middleware::scope::Scope;

/// Length of a hash of an API key: SHA-256 in hex.
const HASH_LENGTH: usize = 64;

/// One client and the identity it has in Postgres.
#[derive(Debug)]
pub struct Client {
    /// The `{client}` of its routes.
    pub name: String,
    /// Its Postgres schema, and the prefix of its objects.
    pub schema: String,
    /// Its Postgres login role.
    pub role: String,
    /// Password of the role.
    pub password: SecretString,
    limits: RwLock<ClientLimits>,
    key_hashes: Vec<String>,
}

/// A configuration file that can be served.
#[derive(Debug)]
pub struct Tenant {
    /// Name of the `DocumentTenant`.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid; empty where there is no such object.
    pub uid: String,
    /// The owners whose content it takes over.
    pub take_over_content: Vec<String>,
    /// Contents of a client that a sweep may remove although they are unusually many.
    pub sweep_up_to: Option<u64>,
    /// Where the clients' schemas are.
    pub database: Database,
    /// What the configuration lets clients do; a file beside it goes before this.
    pub limits: TenantLimits,
    /// What both listeners are served with.
    pub tls: Option<Tls>,
    /// Whose tokens are accepted, in mode Jwt.
    pub jwt: Option<Jwt>,
    /// The tenant as an issuer of its own, whose tokens are accepted beside what the mode asks for.
    pub own_issuer: Option<OwnIssuer>,
    /// What is served to the clients, for those whose it is.
    pub workloads: Workloads,
    mode: AuthMode,
    clients: BTreeMap<String, Arc<Client>>,
    keys: Keys,
}

impl Tenant {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// One sentence that names the file and what is wrong with it.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let file = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the configuration file {file} cannot be read"))?;
        serde_json::from_str(&text)
            .map_err(anyhow::Error::from)
            .and_then(|config: TenantConfig| Self::try_from(config))
            .with_context(|| format!("the configuration file {file} cannot be used"))
    }

    /// All clients, sorted by name.
    pub fn clients(&self) -> impl ExactSizeIterator<Item = &Arc<Client>> {
        self.clients.values()
    }

    /// The client `name`.
    pub fn client(&self, name: &str) -> Option<Arc<Client>> {
        self.clients.get(name).cloned()
    }

    /// Whether a key opens the routes of its client.
    pub fn takes_keys(&self) -> bool {
        self.mode == AuthMode::ApiKey
    }

    /// The client `name`, or the one whose `key` it is where no name is given, if `key` opens it, and
    /// who that is.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] without a key, [`Error::Forbidden`] for a key that is not this
    /// client's or a client that does not exist: a caller cannot tell one from the other. Without
    /// authentication an unknown client is [`Error::NotFound`]. [`Error::ClientNeeded`] without a name
    /// where the key is of several clients, or no key is asked for.
    pub fn authenticate(
        &self,
        name: Option<&str>,
        key: Option<&[u8]>,
    ) -> Result<(Arc<Client>, Actor), Error> {
        if self.mode == AuthMode::None {
            let client = self.client(name.ok_or(Error::ClientNeeded)?);
            return Ok((client.ok_or(Error::NotFound("client"))?, Actor::anonymous()));
        }
        let key = key.ok_or(Error::Unauthorized)?;
        let hash = hash_api_key(std::str::from_utf8(key).map_err(|_| Error::Forbidden)?).0;
        let client = match name {
            Some(name) => {
                let client = self.clients.get(name);
                let opened = client.filter(|client| client.accepts(&hash));
                opened.ok_or(Error::Forbidden)?
            }
            None => self.keys.owner(&hash)?,
        };
        Ok((client.clone(), Actor::of_key(&hash)))
    }

    /// The client, of that name if one is given, that the publishable `key` opens for `scope` to a page
    /// of `origin`, whatever else callers prove themselves with, and who that is.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a key that opens no such client for this scope,
    /// [`Error::OriginMissing`] and [`Error::OriginRefused`] for one that is sent from elsewhere, and
    /// [`Error::ClientNeeded`] for that of several clients without a name.
    pub fn authenticate_page(
        &self,
        name: Option<&str>,
        key: &str,
        scope: Scope,
        origin: Option<&[u8]>,
    ) -> Result<(Arc<Client>, Actor), Error> {
        let hash = hash_api_key(key).0;
        let client = self.keys.published(&hash, name, scope.0, origin)?;
        Ok((client.clone(), Actor::of_key(&hash)))
    }

    /// Whether pages of `origin` may call with a publishable key for `scope`.
    pub fn publishes_to(&self, scope: Scope, origin: &str) -> bool {
        self.keys.has_origin(scope.0, origin)
    }
}

impl Client {
    /// What it may do with each workload, now.
    pub fn limits(&self) -> ClientLimits {
        *self.limits.read()
    }

    /// Lets it do what `limits` say from now on; returns whether that is something else.
    pub fn limit(&self, limits: ClientLimits) -> bool {
        let mut now = self.limits.write();
        std::mem::replace(&mut *now, limits) != limits
    }

    /// Compares with every hash, whichever fits, so that time tells nothing.
    fn accepts(&self, hash: &str) -> bool {
        self.key_hashes
            .iter()
            .map(|known| known.as_bytes().ct_eq(hash.as_bytes()))
            .fold(subtle::Choice::from(0), |any, one| any | one)
            .into()
    }
}

impl TryFrom<TenantConfig> for Tenant {
    type Error = anyhow::Error;

    fn try_from(config: TenantConfig) -> anyhow::Result<Self> {
        let limits = config.limits();
        let jwt = match config.auth.mode {
            AuthMode::Jwt => Some(config.auth.jwt.context("mode Jwt needs an issuer")?),
            AuthMode::ApiKey | AuthMode::None => None,
        };
        let own_issuer = config.auth.issuer;
        ensure!(
            own_issuer.is_none() || config.auth.mode != AuthMode::None,
            "an issuer needs a mode in which somebody is asked for a token"
        );
        let names = (jwt.as_ref(), own_issuer.as_ref());
        ensure!(
            !matches!(names, (Some(jwt), Some(own)) if jwt.issuer == own.url),
            "the tenant's own issuer has the name of another"
        );
        let (mut clients, mut keys) = (BTreeMap::new(), Keys::default());
        for client in config.clients {
            let name = client.name;
            let publishable = client.publishable_keys.iter().map(|key| &key.hash);
            for hash in client.api_key_hashes.iter().chain(publishable) {
                ensure!(
                    hash.0.len() == HASH_LENGTH && hash.0.bytes().all(|b| b.is_ascii_hexdigit()),
                    "client {name}: an API key hash must be 64 hex digits"
                );
            }
            if config.auth.mode == AuthMode::ApiKey && client.api_key_hashes.is_empty() {
                // The others are served all the same.
                tracing::warn!(client = name, "no API key opens this client");
            }
            let publishable = client.publishable_keys;
            let client = Arc::new(Client {
                name: name.clone(),
                schema: client.schema,
                role: client.role,
                password: client.password,
                limits: RwLock::new(client.limits),
                key_hashes: client
                    .api_key_hashes
                    .into_iter()
                    .map(|hash| hash.0.to_ascii_lowercase())
                    .collect(),
            });
            keys.add(&client, publishable);
            if clients.insert(name.clone(), client).is_some() {
                bail!("client {name} is named twice");
            }
        }
        Ok(Self {
            name: config.tenant,
            namespace: config.namespace,
            uid: config.uid,
            take_over_content: config.take_over_content,
            sweep_up_to: config.sweep_up_to,
            database: config.database,
            limits,
            tls: config.tls,
            workloads: config.workloads,
            mode: config.auth.mode,
            jwt,
            own_issuer,
            clients,
            keys,
        })
    }
}

#[cfg(test)]
mod tests;
