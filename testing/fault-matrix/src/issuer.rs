//! A tenant that issues tokens: what its servers are told of its keys, in which order, and the time that passes
//! between the steps of a rotation.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use docket_crds::annotations::ROTATED_AT;
use docket_crds::names::{
    PREVIOUS, UPCOMING, api_keys_secret, api_name, publishable_key_entry, signing_keys_secret,
};
use serde_json::{Value, json};

use crate::gateway::Written;
use crate::mask::decode;
use crate::scenario::TENANT;
use crate::world::World;

/// What a private key begins with.
pub(crate) const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----";

/// Entry of the keys in what pods read.
const TOLD: &str = "signing-keys.json";

/// A last step after which every wait is over.
const LONG_AGO: &str = "2001-01-01T00:00:00Z";

/// What servers were told at once: the key that signs, and all that are published.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    signer: String,
    published: BTreeSet<String>,
}

/// From now on keeps what servers are told of keys.
pub(crate) fn watch(world: &World) {
    world.gateway.copy(&world.namespace);
}

/// Servers were told of `count` keys, of each until now, and of each that came later before it signed. What the
/// operator tried to tell counts: it may not know whether it did.
pub(crate) fn check_told(world: &World, count: usize) -> Result<()> {
    let writes = world.gateway.copies();
    let told: Vec<Told> = writes.iter().filter_map(told_by).collect();
    if let Some(broken) = broken(&told) {
        anyhow::bail!("{broken}: {told:?}");
    }
    let all: BTreeSet<&String> = told.iter().flat_map(|told| &told.published).collect();
    ensure!(all.len() == count, "not {count} keys were told: {told:?}");
    Ok(())
}

/// What a write to the API server tells servers of keys.
fn told_by(write: &Written) -> Option<Told> {
    let object: Value = serde_json::from_str(&write.body).ok()?;
    (object["metadata"]["name"] == api_name(TENANT)).then_some(())?;
    let keys = keys(&object)?;
    let ids = keys["published"].as_array()?.iter();
    Some(Told {
        signer: keys["signer"]["id"].as_str()?.to_owned(),
        published: ids
            .filter_map(|key| key["id"].as_str().map(str::to_owned))
            .collect(),
    })
}

fn keys(secret: &Value) -> Option<Value> {
    let text = decode(secret["data"][TOLD].as_str()?)?;
    serde_json::from_str(&text).ok()
}

/// What was told at some point and should not have been, while no token is so old that its key may go.
fn broken(told: &[Told]) -> Option<String> {
    for told in told {
        if !told.published.contains(&told.signer) {
            return Some(format!("{} signs and is not published", told.signer));
        }
    }
    for pair in told.windows(2) {
        let [before, after] = pair else { continue };
        if !before.published.contains(&after.signer) {
            return Some(format!("{} signs before it was published", after.signer));
        }
        if let Some(lost) = before.published.difference(&after.published).next() {
            return Some(format!("{lost} was published and is lost"));
        }
    }
    None
}

/// What stands for each key that servers are told of, and for its name.
pub(crate) fn names_of_keys(secret: &Value) -> Vec<(String, String)> {
    let keys = keys(secret).unwrap_or_default();
    let published = keys["published"].as_array();
    let mut names = Vec::new();
    for (at, key) in published.into_iter().flatten().enumerate() {
        for member in ["id", "x"] {
            let value = key[member].as_str().unwrap_or_default().to_owned();
            names.push((value, format!("PUBLISHED({at}).{member}")));
        }
    }
    names
}

/// Lets time pass until the key that was asked for signs, and servers were told.
pub(crate) async fn until_the_next_key_signs(world: &World) -> Result<()> {
    world
        .until(|| async {
            let secret = secret(world, &signing_keys_secret(TENANT)).await?;
            if secret["data"][PREVIOUS].is_null() {
                if !secret["data"][UPCOMING].is_null() {
                    let_time_pass(world, &secret).await?;
                }
                return Ok(Err("the first key signs".into()));
            }
            Ok(match is_told(world, &secret).await? {
                true => Ok(()),
                false => Err("servers do not know that the next key signs".into()),
            })
        })
        .await
}

/// Lets time pass until no token can be alive that the last key signed, and nothing is left of that.
pub(crate) async fn until_the_last_key_is_gone(world: &World) -> Result<()> {
    let signs = |told: &Value| told["signer"]["id"].as_str().map(str::to_owned);
    let told = secret(world, &api_name(TENANT)).await?;
    let signer = keys(&told).as_ref().and_then(signs);
    let signer = signer.context("servers are told of no key")?;
    let_time_pass(world, &secret(world, &signing_keys_secret(TENANT)).await?).await?;
    world
        .until(|| async {
            let kept = secret(world, &signing_keys_secret(TENANT)).await?;
            let told = keys(&secret(world, &api_name(TENANT)).await?).unwrap_or_default();
            let published = told["published"].as_array().map_or(0, Vec::len);
            let is_gone = kept["data"][PREVIOUS].is_null() && published == 1;
            Ok(match is_gone && signs(&told).as_ref() == Some(&signer) {
                true => Ok(()),
                false => Err(format!("{published} keys are published")),
            })
        })
        .await
}

/// Whether a client has a publishable key for page views as `wanted`.
pub(crate) async fn check_publishable_key(world: &World, client: &str, wanted: bool) -> Result<()> {
    let keys = secret(world, &api_keys_secret(TENANT)).await?;
    let entry = publishable_key_entry(client, "pageViews");
    let found = keys["data"][&entry].as_str().and_then(decode);
    let is_key = found.as_ref().is_some_and(|key| key.starts_with("pk_"));
    ensure!(
        is_key == wanted && found.is_some() == wanted,
        "{entry} is there: {}",
        found.is_some()
    );
    Ok(())
}

/// Whether the last that servers were told is what the Secret `kept` has.
async fn is_told(world: &World, kept: &Value) -> Result<bool> {
    let told = keys(&secret(world, &api_name(TENANT)).await?).unwrap_or_default();
    let last = told["published"].as_array().and_then(|keys| keys.last());
    let previous = kept["data"][PREVIOUS].as_str().and_then(decode);
    Ok(last.and_then(|key| key["x"].as_str()) == previous.as_deref())
}

/// The last step of the keys in `secret` becomes one of long ago.
async fn let_time_pass(world: &World, secret: &Value) -> Result<()> {
    if secret["metadata"]["annotations"][ROTATED_AT] == LONG_AGO {
        return Ok(());
    }
    let change = json!({"metadata": {"annotations": {ROTATED_AT: LONG_AGO}}});
    let path = world.path(
        "api/v1",
        &format!("secrets/{}", signing_keys_secret(TENANT)),
    );
    world.ground.plane.admin.merge(&path, &change).await?;
    Ok(())
}

async fn secret(world: &World, name: &str) -> Result<Value> {
    let path = world.path("api/v1", &format!("secrets/{name}"));
    Ok(world
        .ground
        .plane
        .admin
        .get(&path)
        .await?
        .unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(signer: &str, published: &[&str]) -> Told {
        Told {
            signer: signer.to_owned(),
            published: published.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_from_then_on() {
        let rotation = [
            told("a", &["a"]),
            told("a", &["a", "b"]),
            told("b", &["a", "b"]),
        ];
        assert_eq!(broken(&rotation), None);
        let at_once = [told("a", &["a"]), told("b", &["a", "b"])];
        let text = broken(&at_once);
        assert_eq!(text.as_deref(), Some("b signs before it was published"));
        let early = [told("a", &["a", "b"]), told("b", &["b"])];
        let text = broken(&early);
        assert_eq!(text.as_deref(), Some("a was published and is lost"));
        let twice = [told("a", &["a", "b"]), told("a", &["a", "c"])];
        let text = broken(&twice);
        assert_eq!(text.as_deref(), Some("b was published and is lost"));
        let hidden = [told("a", &[])];
        let text = broken(&hidden);
        assert_eq!(text.as_deref(), Some("a signs and is not published"));
    }

    #[test]
    fn what_servers_are_told_is_read_from_the_write() {
        use base64::Engine as _;
        let keys = json!({"signer": {"id": "a", "privateKey": "p"},
            "published": [{"id": "a", "x": "1"}, {"id": "b", "x": "2"}]});
        let keys = base64::prelude::BASE64_STANDARD.encode(keys.to_string());
        let write = |name: &str| Written {
            method: http::Method::PATCH,
            path: String::new(),
            content_type: String::new(),
            body: json!({"metadata": {"name": name}, "data": {TOLD: keys}}).to_string(),
        };
        assert_eq!(told_by(&write("acme-api")), Some(told("a", &["a", "b"])));
        assert_eq!(told_by(&write("acme-signing-keys")), None);
    }
}
