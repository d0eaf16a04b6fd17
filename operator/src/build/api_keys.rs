//! The Secret that hands API keys to the clients' applications: one entry a client, one for each of its
//! publishable keys, and two more of each while keys are rotated. Further entries are the users', and server-side apply leaves them alone.

use docket_crds::names::{
    api_keys_secret, previous_key_entry, publishable_key_entry, upcoming_key_entry,
};
use k8s_openapi::api::core::v1::Secret;

use super::client_secret::{self, Entry};
use crate::validated_tenant::{ValidatedClient, ValidatedTenant};

pub(super) fn build(wanted: &ValidatedTenant) -> Secret {
    let name = api_keys_secret(&wanted.name);
    client_secret::build(wanted, name, wanted.keys_rotated.as_ref(), entries)
}

fn entries(client: &ValidatedClient) -> Vec<Entry> {
    let own = (client.name.clone(), &client.keys.own);
    let publishable = client.keys.publishable.iter().map(|published| {
        let entry = publishable_key_entry(&client.name, published.publication.workload);
        (entry, &published.key)
    });
    let keys = std::iter::once(own).chain(publishable);
    keys.flat_map(|(entry, key)| {
        [
            (upcoming_key_entry(&entry), key.upcoming.clone()),
            (previous_key_entry(&entry), key.previous.clone()),
            (entry, key.issued.clone()),
        ]
    })
    .collect()
}
