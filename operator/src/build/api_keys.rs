//! The Secret that hands API keys to the clients' applications: one entry a client, and two more
//! while a key is rotated. Further entries are the users', and server-side apply leaves them alone.

use docket_crds::names::{api_keys_secret, previous_key_entry, upcoming_key_entry};
use k8s_openapi::api::core::v1::Secret;

use super::client_secret::{self, Entry};
use crate::validated_tenant::{ValidatedClient, ValidatedTenant};

pub(super) fn build(wanted: &ValidatedTenant) -> Secret {
    let name = api_keys_secret(&wanted.name);
    client_secret::build(wanted, name, wanted.keys_rotated.as_ref(), entries)
}

fn entries(client: &ValidatedClient) -> Vec<Entry> {
    let (name, keys) = (&client.name, &client.keys);
    vec![
        (name.clone(), keys.issued.clone()),
        (upcoming_key_entry(name), keys.upcoming.clone()),
        (previous_key_entry(name), keys.previous.clone()),
    ]
}
