//! What the user should mend, and what keeps nobody from being served.

use docket_crds::{DocumentTenant, names};
use jiff::Timestamp;

use super::content_ownership::sentence;
use super::dereference::{Dereferenced, identities};
use crate::database::ConnectionLimit;
use crate::identified::Identified;
use crate::validated_tenant::{Notice, ValidatedClient};

/// Entries that a sentence lists; a message of a condition is bounded.
const MOST: usize = 20;

pub(super) fn notices(
    tenant: &Identified<DocumentTenant>,
    seen: &Dereferenced,
    now: Timestamp,
    ignored_keys: &[String],
) -> Vec<Notice> {
    let secret = names::api_keys_secret(tenant.name());
    let certificate = seen.certificate.as_ref();
    let expired = certificate.and_then(|seen| expired(seen.not_after, now));
    keys(&secret, ignored_keys)
        .into_iter()
        .chain(expired)
        .chain(refused(tenant, seen))
        .collect()
}

/// What should be mended of the database.
pub(super) fn of_database(clients: &[ValidatedClient], admin: &str) -> Vec<Notice> {
    let roles: Vec<&str> = clients
        .iter()
        .flat_map(|client| &client.foreign_roles)
        .map(String::as_str)
        .collect();
    let foreign = (!roles.is_empty()).then(|| foreign(&roles, admin));
    let limits = clients.iter().map(|client| client.connections);
    foreign
        .into_iter()
        .chain(limits.filter_map(too_small).take(1))
        .chain(still_adopt(clients))
        .collect()
}

/// A word that was for once would be good for what is retained later, too.
fn still_adopt(clients: &[ValidatedClient]) -> Option<Notice> {
    let clients = clients.iter().filter(|client| client.still_adopts);
    let names: Vec<&str> = clients.map(|client| client.name.as_str()).collect();
    let more = match names.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed = &names[..names.len().min(MOST)];
    (!names.is_empty()).then(|| Notice {
        reason: "AdoptLeftIn",
        message: format!(
            "Take adopt: true out of the clients that have their data ({}{more}): left in, it takes over whatever is \
             retained under their names later, and nobody is asked.",
            listed.join(", "),
        ),
    })
}

/// Roles that the user of the Secret may not change: pg_upgrade to version 16 gives no right on those that there
/// were, and another user has none on those of the one before.
pub(super) fn foreign(roles: &[&str], admin: &str) -> Notice {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let listed: Vec<String> = roles.iter().take(MOST).copied().map(quoted).collect();
    let more = match roles.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(", and the same for {more} more"),
    };
    Notice {
        reason: "AdminOptionMissing",
        message: format!(
            "The user of the Secret may not change roles of the clients, so that no login can be rotated or taken \
             away. As a superuser, run: GRANT {} TO {} WITH ADMIN OPTION{more}.",
            listed.join(", "),
            quoted(admin),
        ),
    }
}

/// All clients of a tenant have the same pods and the same server.
fn too_small(limit: ConnectionLimit) -> Option<Notice> {
    let needs = limit.server_needs()?;
    Some(Notice {
        reason: "ServerTooSmall",
        message: format!(
            "Each client may hold {} connections, a third of what the server has, and the pods may open {} for one: \
             under load some are refused. Raise max_connections so that {needs} are there for all, or ask for fewer \
             pods.",
            limit.granted(),
            limit.needed(),
        ),
    })
}

/// What servers do not do until somebody looked.
fn refused(tenant: &Identified<DocumentTenant>, seen: &Dereferenced) -> Vec<Notice> {
    let inspection = &seen.inspected.inspection;
    let of_client = |(client, identity): (&docket_crds::Client, docket_schema::Identity)| {
        let row = inspection.get(&identity.schema);
        let refused = row.map(|row| row.refused.clone()).unwrap_or_default();
        let mut notices: Vec<Notice> = Vec::new();
        for task in refused {
            let whose = format!("client {}", client.name);
            let notice = Notice {
                reason: task.reason.as_str(),
                message: sentence(task.reason, &whose, &task.because),
            };
            // Several tasks of a client may have the same reason.
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        notices
    };
    let clients = identities(tenant).into_iter();
    clients.flat_map(of_client).take(MOST).collect()
}

/// An entry that opens nothing concerns whoever put it there: everybody else is served.
fn keys(secret: &str, ignored: &[String]) -> Option<Notice> {
    let listed = ignored
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = match ignored.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    (!ignored.is_empty()).then(|| Notice {
        reason: "KeysIgnored",
        message: format!(
            "Correct or remove what opens nothing in the Secret {secret}: {listed}{more}."
        ),
    })
}

/// What the spec asks for and is not given: an Ingress that the operator's settings do not allow, because of
/// `refused_ingress`, or what a cluster without the Gateway API cannot give.
pub(super) fn unmet(
    tenant: &Identified<DocumentTenant>,
    gateway_api: bool,
    refused_ingress: Option<&str>,
) -> Option<Notice> {
    if let Some(why) = refused_ingress {
        return Some(Notice {
            reason: "IngressNotAllowed",
            message: format!(
                "{why} Until then no Ingress is made or changed. Everything else is as the spec asks."
            ),
        });
    }
    let asked = tenant.spec.api.http_route.is_some();
    (asked && !gateway_api).then(|| Notice {
        reason: "GatewayApiMissing",
        message: "Install the CRDs of the Gateway API, or take spec.api.httpRoute out: this cluster does not serve \
                  HTTPRoutes of gateway.networking.k8s.io/v1. Everything else is as the spec asks."
            .into(),
    })
}

fn expired(not_after: Timestamp, now: Timestamp) -> Option<Notice> {
    (not_after < now).then(|| Notice {
        reason: "CertificateExpired",
        message: format!(
            "Renew the certificate that spec.api.tls.secretRef names: it was valid until {not_after}, and callers \
             refuse it."
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_open_nothing_are_named_as_far_as_a_sentence_goes() {
        assert_eq!(keys(&names::api_keys_secret("acme"), &[]), None);
        let ignored = vec!["globex.next (too short)".to_owned(); 22];
        let notice = keys(&names::api_keys_secret("acme"), &ignored).expect("a notice");
        assert!(
            notice.message.ends_with("(too short), and 2 more."),
            "{}",
            notice.message
        );
    }

    #[test]
    fn who_has_its_data_and_still_adopts_is_named() {
        let mut clients = crate::validated_tenant::example::acme().clients;
        assert_eq!(of_database(&clients, "admin"), []);
        clients[1].still_adopts = true;
        let notices = of_database(&clients, "admin");
        assert_eq!(notices[0].reason, "AdoptLeftIn");
        let message = &notices[0].message;
        assert!(message.contains("(initech)"), "{message}");
    }

    #[test]
    fn a_certificate_is_expired_from_its_last_second_on() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert_eq!(expired(at(10), at(10)), None);
        assert_eq!(
            expired(at(10), at(11)).map(|notice| notice.reason),
            Some("CertificateExpired")
        );
    }
}
