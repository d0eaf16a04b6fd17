//! The Secret that hands API keys to the clients' applications: one entry a client, and two more
//! while a key is rotated. Further entries are the users', and server-side apply leaves them alone.

use k8s_openapi::api::core::v1::Secret;

use super::client_secret::{self, Entry};
use crate::api_keys::{PREVIOUS, UPCOMING};
use crate::wanted::{Wanted, WantedClient};

pub(super) fn name(tenant: &str) -> String {
    format!("{tenant}-api-keys")
}

pub(super) fn build(wanted: &Wanted) -> Secret {
    let name = name(&wanted.name);
    client_secret::build(wanted, name, wanted.keys_rotated.as_ref(), entries)
}

fn entries(client: &WantedClient) -> Vec<Entry> {
    let (name, keys) = (&client.name, &client.keys);
    vec![
        (name.clone(), keys.issued.clone()),
        (format!("{name}.{UPCOMING}"), keys.upcoming.clone()),
        (format!("{name}.{PREVIOUS}"), keys.previous.clone()),
    ]
}
