//! A tenant for tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use docket_contract::{
    ApiAuth, AuthMode, ClientLimits, DocumentLimits, Quota, RateLimit, S3Storage, SslMode,
    Summarizer, Uploads,
};
use docket_crds::{NetworkPeer, NetworkSelector, ResourceList, Resources};
use docket_objectives::Tenant;
use docket_schema::{Applied, Identity};
use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::{
    Documents, Monitoring, Network, Telemetry, ValidatedClient, ValidatedTenant, Workloads,
};
use crate::content::Content;
use crate::content_locations::ContentLocations;
use crate::credentials::api_keys::{ClientKeys, RotatingKey};
use crate::database::{AdminConnection, ConnectionLimit};

/// The tenant `acme` with two clients that lack nothing.
pub(crate) fn acme() -> ValidatedTenant {
    let client = |name: &str| ValidatedClient {
        name: name.into(),
        identity: Identity::of("acme", "acme", name),
        password: format!("password of {name}").into(),
        keys: ClientKeys {
            own: RotatingKey {
                issued: Some(format!("key of {name}").into()),
                ..RotatingKey::default()
            },
            ..ClientKeys::default()
        },
        limits: ClientLimits {
            documents: DocumentLimits {
                quota: Quota {
                    documents: Some(1000),
                    bytes: None,
                },
                retention_days: 30,
            },
        },
        retiring: None,
        provision: None,
        still_adopts: false,
        applied: Applied::all(&["documents"]),
        foreign_roles: Vec::new(),
        connections: ConnectionLimit::new(3, 397),
        server_connections: 397,
        content: ContentLocations::default(),
        dropped: Vec::new(),
    };
    let memory = |requests: &str, limits: &str| Resources {
        requests: Some(ResourceList {
            cpu: Some("50m".into()),
            memory: Some(requests.into()),
        }),
        limits: Some(ResourceList {
            cpu: None,
            memory: Some(limits.into()),
        }),
    };
    ValidatedTenant {
        name: "acme".into(),
        namespace: "acme".into(),
        uid: "11111111-2222-3333-4444-555555555555".into(),
        owner: OwnerReference {
            api_version: "docket.dev/v1alpha1".into(),
            kind: "DocumentTenant".into(),
            name: "acme".into(),
            uid: "11111111-2222-3333-4444-555555555555".into(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        },
        take_over_content: Vec::new(),
        sweep_up_to: None,
        clients: vec![client("globex"), client("initech")],
        released: Vec::new(),
        rotated: None,
        keys_rotated: None,
        revoked: false,
        next_rotation: None,
        database: docket_contract::Database {
            host: "postgres.docket-dev".into(),
            port: 5432,
            dbname: "docket".into(),
            ssl_mode: SslMode::Disable,
        },
        workloads: Workloads {
            documents: Some(Documents {
                content: content(),
                storage_secret: "docket-s3".into(),
                storage_secret_hash: "hash".into(),
                uploads: Uploads::default(),
                summarizer: Summarizer::Extractive,
            }),
            ..Workloads::default()
        },
        auth: ApiAuth {
            mode: AuthMode::ApiKey,
            jwt: None,
            issuer: None,
        },
        issuer: None,
        rate_limit: RateLimit {
            requests_per_second: NonZeroU32::MIN,
            burst: NonZeroU32::MIN,
        },
        tls: None,
        notices: Vec::new(),
        database_notices: Vec::new(),
        api_image: "docket.local/api-server:1".into(),
        collector_image: "docket.local/collector:1".into(),
        unmet: None,
        leaves_ingress: false,
        replicas: 2,
        autoscaling: None,
        ingress: None,
        http_route: None,
        network: network(),
        node_selector: BTreeMap::new(),
        tolerations: Vec::new(),
        affinity: None,
        topology_spread: None,
        api_resources: memory("64Mi", "256Mi"),
        collector_resources: memory("64Mi", "128Mi"),
        telemetry: Telemetry {
            endpoint: Some("http://gateway.docket-dev:4317".into()),
            ..Telemetry::default()
        },
        watched: Tenant {
            namespace: "acme".into(),
            name: "acme".into(),
            ..Tenant::default()
        },
        monitoring: Monitoring::default(),
    }
}

/// Whom the pods of `acme` know of.
fn network() -> Network {
    let of_namespace = |name: &str| NetworkPeer {
        namespace_selector: Some(NetworkSelector {
            match_labels: [("kubernetes.io/metadata.name".into(), name.into())].into(),
        }),
        ..NetworkPeer::default()
    };
    let own_namespace = NetworkPeer {
        pod_selector: Some(NetworkSelector::default()),
        ..NetworkPeer::default()
    };
    Network {
        callers: Some(vec![own_namespace]),
        scrapers: vec![of_namespace("monitoring")],
        api_server: Some(vec![SocketAddr::from(([10, 0, 0, 1], 6443))]),
    }
}

/// How the operator reaches the database of `acme`.
pub(crate) fn connection() -> AdminConnection {
    AdminConnection {
        database: acme().database,
        username: "admin".into(),
        password: "password".into(),
    }
}

/// The bucket of `acme`, which nobody speaks to until it is asked for something.
pub(crate) fn content() -> Content {
    let storage = S3Storage {
        bucket: "acme".into(),
        endpoint: "http://s3.docket-dev:7070".into(),
        region: "us-east-1".into(),
    };
    let key = || ByteString(b"key".to_vec());
    let secret = [
        ("AWS_ACCESS_KEY_ID".to_owned(), key()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), key()),
    ];
    Content::from_secret(&storage, &secret.into()).expect("a whole Secret")
}
