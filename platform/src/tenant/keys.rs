//! Whose a key is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use docket_contract::PublishableKey;

use super::Client;
use crate::error::Error;

/// The keys of all clients, by their hashes: the owner of one among ten thousand is found as fast as that
/// of one alone.
///
/// A map does not compare in constant time, and need not: what it compares is the SHA-256 of what was
/// sent. Nobody can send a key for a hash that they choose, so time leads nowhere; and who knew a hash
/// would still lack the 256 random bits that it is of.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Users may give a key to several clients.
    secret: HashMap<String, Vec<Arc<Client>>>,
    publishable: HashMap<String, Vec<Published>>,
    /// By scope, all those whose pages may use a key for it.
    origins: BTreeMap<String, BTreeSet<String>>,
}

/// What a publishable key opens, and for whom.
#[derive(Debug)]
struct Published {
    client: Arc<Client>,
    scope: String,
    origins: Vec<String>,
}

impl Keys {
    pub(super) fn add(&mut self, client: &Arc<Client>, publishable: Vec<PublishableKey>) {
        for hash in &client.key_hashes {
            let owners = self.secret.entry(hash.clone()).or_default();
            if !owners.iter().any(|owner| owner.name == client.name) {
                owners.push(client.clone());
            }
        }
        for key in publishable {
            let origins = self.origins.entry(key.scope.clone()).or_default();
            origins.extend(key.origins.iter().cloned());
            let published = Published {
                client: client.clone(),
                scope: key.scope,
                origins: key.origins,
            };
            let hash = key.hash.0.to_ascii_lowercase();
            self.publishable.entry(hash).or_default().push(published);
        }
    }

    /// The one client that the secret key with this hash opens.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a key of nobody, [`Error::ClientNeeded`] for that of several.
    pub(super) fn owner(&self, hash: &str) -> Result<&Arc<Client>, Error> {
        let owners = self.secret.get(hash).map_or(&[][..], Vec::as_slice);
        only(owners)
    }

    /// The client, of that name if one is given, that the publishable key with this hash opens for
    /// `scope` to a page of `origin`.
    ///
    /// # Errors
    /// As of [`owner`](Self::owner); [`Error::OriginMissing`] and [`Error::OriginRefused`].
    pub(super) fn published(
        &self,
        hash: &str,
        name: Option<&str>,
        scope: &str,
        origin: Option<&[u8]>,
    ) -> Result<&Arc<Client>, Error> {
        let found = self.publishable.get(hash).into_iter().flatten();
        let found = found.filter(|it| it.scope == scope);
        let found = found.filter(|it| name.is_none_or(|name| it.client.name == name));
        let found: Vec<&Published> = found.collect();
        let published = only(&found)?;
        let origin = origin.ok_or(Error::OriginMissing)?;
        let mut origins = published.origins.iter();
        match origins.any(|it| it.as_bytes() == origin) {
            true => Ok(&published.client),
            false => Err(Error::OriginRefused),
        }
    }

    /// Whether pages of `origin` may use some client's key for `scope`.
    pub(super) fn has_origin(&self, scope: &str, origin: &str) -> bool {
        let origins = self.origins.get(scope);
        origins.is_some_and(|origins| origins.contains(origin))
    }
}

fn only<T>(found: &[T]) -> Result<&T, Error> {
    match found {
        [] => Err(Error::Forbidden),
        [one] => Ok(one),
        _ => Err(Error::ClientNeeded),
    }
}
