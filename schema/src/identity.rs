//! The name of a client in Postgres, for its schema and its role alike.

use sha2::{Digest, Sha256};

/// Longest part of a tenant's or client's name that is kept readable.
const READABLE: usize = 24;
/// Hex digits of the hash: 48 bits, so that ten thousand equal readable parts stay apart.
const HASH: usize = 12;

/// What the second login role of a client has behind its schema's name; no hash ends with it.
const SECOND: char = 'x';

/// Schema and role of one client; at most 63 bytes of `[a-z0-9_]`, where Postgres cuts names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Name of the schema; also the prefix of the client's objects in the bucket.
    pub schema: String,
    /// Name of the login role: one of [`Identity::roles`], the first unless it was rotated.
    pub role: String,
}

impl Identity {
    /// The identity of `client` of the tenant `namespace/tenant`.
    ///
    /// It depends on names only, so that data retained under a name is found again when the tenant
    /// is created anew; [the registry](crate::Owner) says whether it may be used.
    #[must_use]
    pub fn of(namespace: &str, tenant: &str, client: &str) -> Self {
        let digest = Sha256::digest(format!("{namespace}/{tenant}/{client}"));
        let hash = &hex::encode(digest)[..HASH];
        let name = format!("{}_{}_{hash}", readable(tenant), readable(client));
        Self {
            schema: name.clone(),
            role: name,
        }
    }

    /// The identity with the schema `schema` and its first role.
    #[must_use]
    pub fn of_schema(schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            role: schema.to_owned(),
        }
    }

    /// The two roles that take turns when a client's login is rotated.
    #[must_use]
    pub fn roles(&self) -> [String; 2] {
        [self.schema.clone(), format!("{}{SECOND}", self.schema)]
    }

    /// The same client with the other one of its roles.
    #[must_use]
    pub fn rotated(&self) -> Self {
        let [first, second] = self.roles();
        Self {
            schema: self.schema.clone(),
            role: if self.role == second { first } else { second },
        }
    }
}

fn readable(name: &str) -> String {
    // A Postgres name that starts with a digit needs quotes everywhere, so it gets a letter.
    let start = if name.starts_with(|c: char| c.is_ascii_digit()) {
        "t"
    } else {
        ""
    };
    format!("{start}{name}")
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '_'
            }
        })
        .take(READABLE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dns_label() -> impl Strategy<Value = String> {
        "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
    }

    #[test]
    fn a_name_reads_tenant_client_hash() {
        let identity = Identity::of("acme", "acme", "globex");
        assert_eq!(identity.schema, "acme_globex_b1f78a2e9838");
        assert_eq!(identity.role, identity.schema);
    }

    #[test]
    fn two_roles_take_turns() {
        let first = Identity::of("acme", "acme", "globex");
        let second = first.rotated();
        assert_eq!(second.role, "acme_globex_b1f78a2e9838x");
        assert_eq!(second.schema, first.schema);
        assert_eq!(second.rotated(), first);
    }

    proptest! {
        #[test]
        fn every_name_is_a_postgres_identifier_that_needs_no_quotes(
            namespace in dns_label(), tenant in dns_label(), client in dns_label(),
        ) {
            let name = Identity::of(&namespace, &tenant, &client).rotated().role;
            prop_assert!(name.len() <= 63);
            prop_assert!(name.starts_with(|c: char| c.is_ascii_lowercase()));
            prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        }

        #[test]
        fn clients_that_differ_in_anything_have_names_that_differ(
            a in (dns_label(), dns_label(), dns_label()), b in (dns_label(), dns_label(), dns_label()),
        ) {
            prop_assume!(a != b);
            prop_assert_ne!(Identity::of(&a.0, &a.1, &a.2), Identity::of(&b.0, &b.1, &b.2));
        }
    }
}
