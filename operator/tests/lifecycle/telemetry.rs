//! Telemetry that cannot leave: said, and in nobody's way.

use docket_crds::{ConditionType, annotations, labels, names};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const CONFIG_MAP: &str = "/api/v1/namespaces/acme/configmaps/acme-collector";

fn config(cluster: &Cluster) -> String {
    let config = cluster.get(CONFIG_MAP)["data"]["config.yaml"].clone();
    config.as_str().expect("a configuration").to_owned()
}

fn hash(cluster: &Cluster) -> Value {
    let template = cluster.get(DEPLOYMENT)["spec"]["template"].clone();
    template["metadata"]["annotations"][annotations::CONFIG_HASH].clone()
}

fn warnings(cluster: &Cluster, reason: &str) -> usize {
    let events = cluster.events();
    events.iter().filter(|(said, _)| said == reason).count()
}

/// A certificate and its key, valid in these years.
pub fn certificate(years: std::ops::Range<i32>) -> [(&'static str, String); 3] {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["acme".to_owned()]).expect("names");
    params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
    let pem = params.self_signed(&key).expect("a certificate").pem();
    [
        ("tls.crt", pem.clone()),
        ("ca.crt", pem),
        ("tls.key", key.serialize_pem()),
    ]
}

#[tokio::test]
async fn a_secret_of_telemetry_that_is_missing_is_said_once_while_clients_come_and_are_served() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"spec": {"telemetry": {
        "endpoint": "https://gateway:4317", "headersSecretRef": {"name": "headers"}}}}));
    cluster.settle().await;
    assert_eq!(
        cluster.condition(ConditionType::CollectorReady),
        (
            "False".into(),
            "SecretNotFound".into(),
            "Create the Secret headers in namespace acme: spec.telemetry.headersSecretRef names it. Until then the \
             collectors send nothing."
                .into()
        )
    );
    assert_eq!(cluster.condition(ConditionType::Ready).1, "SecretNotFound");
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
    assert!(!config(&cluster).contains("gateway"), "without its headers");
    assert_eq!(warnings(&cluster, "SecretNotFound"), 1);

    cluster.change(json!({"spec": {"clients": [{"name": "globex"}, {"name": "initech"}]}}));
    cluster.settle().await;
    assert!(
        cluster
            .secret(&names::api_keys_secret("acme"), "initech")
            .is_some()
    );
    assert_eq!(warnings(&cluster, "SecretNotFound"), 1, "it is no news");

    cluster.put_secret("headers", &[("authorization", "Bearer one")]);
    cluster.allow_secret_as("headers", labels::TELEMETRY_HEADERS);
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert!(config(&cluster).contains("https://gateway:4317"));
    let before = hash(&cluster);
    cluster.put_secret("headers", &[("authorization", "Bearer two")]);
    cluster.settle().await;
    assert_ne!(hash(&cluster), before, "a new header rolls out");
}

#[tokio::test]
async fn no_secret_goes_out_that_does_not_say_so() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    // Its entries could be headers, as those of any other Secret of the namespace.
    cluster.change(json!({"spec": {"telemetry": {
        "endpoint": "https://elsewhere:4317", "headersSecretRef": {"name": "docket-s3"}}}}));
    for label in [None, Some(labels::MODEL_KEY)] {
        if let Some(label) = label {
            cluster.allow_secret_as("docket-s3", label);
        }
        cluster.settle().await;
        let (status, reason, message) = cluster.condition(ConditionType::CollectorReady);
        assert_eq!((&*status, &*reason), ("False", "SecretNotAllowed"));
        assert_eq!(
            message,
            "Label the Secret docket-s3 in namespace acme with docket.dev/allowed-as=telemetry-headers if it may be sent \
             to a server that the spec names: spec.telemetry.headersSecretRef asks for that. Until then the collectors \
             send nothing."
        );
        assert!(!config(&cluster).contains("elsewhere"));
        assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
    }
    assert_eq!(warnings(&cluster, "SecretNotAllowed"), 1);

    cluster.change(json!({"spec": {"telemetry": {"headersSecretRef": null},
        "workloads": {"documents": {"summarizer": {"mode": "OpenAI", "openai": {"url": "https://elsewhere/v1",
            "model": "m", "secretRef": {"name": "model"}, "timeout": "30s"}}}}}}));
    cluster.put_secret("model", &[("apiKey", "key")]);
    cluster.reconcile().await.expect("it is the user's turn");
    let (status, reason, message) = cluster.condition(ConditionType::CredentialsReady);
    assert_eq!((&*status, &*reason), ("False", "SecretNotAllowed"));
    assert!(
        message.contains("docket.dev/allowed-as=model-key"),
        "{message}"
    );
    cluster.allow_secret_as("model", labels::MODEL_KEY);
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_in_a_sentence() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    let tls = json!({"caSecretRef": {"name": "ca"}, "certificateSecretRef": {"name": "own"}});
    cluster
        .change(json!({"spec": {"telemetry": {"endpoint": "https://gateway:4317", "tls": tls}}}));
    cluster.put_secret("ca", &[("ca.crt", "nonsense")]);
    let [chain, ca, key] = certificate(2000..2999);
    let [_, _, other] = certificate(2000..2999);
    let told = async |own: &[(&str, String)]| {
        cluster.put_secret("own", own);
        cluster.settle().await;
        let (status, reason, message) = cluster.condition(ConditionType::CollectorReady);
        (format!("{status} {reason}"), message)
    };
    let (reason, message) = told(&[]).await;
    assert_eq!(reason, "False SecretInvalid");
    assert!(
        message.starts_with(
            "The Secret ca, named by spec.telemetry.tls.caSecretRef, cannot be used: ca.crt holds no certificate in PEM."
        ),
        "{message}"
    );
    cluster.put_secret("ca", &[ca]);
    let (reason, message) = told(&[chain.clone(), other]).await;
    assert_eq!(reason, "False SecretInvalid");
    assert!(
        message.contains("certificateSecretRef, cannot be used: tls.key is not the key of the certificate in tls.crt."),
        "{message}"
    );
    let (reason, message) = told(&certificate(2000..2020)).await;
    assert_eq!(reason, "False CertificateExpired");
    assert!(message.contains("valid until 2020-01-01"), "{message}");
    assert!(config(&cluster).contains("gateway"), "it may be accepted");
    let (reason, message) = told(&certificate(2998..2999)).await;
    assert_eq!(reason, "False CertificateNotYetValid");
    assert!(message.contains("valid from 2998-01-01"), "{message}");
    let own = [chain, key];
    assert_eq!(told(&own).await.0, "True Running");
    let [_, ended, _] = certificate(2000..2020);
    cluster.put_secret("ca", &[ended]);
    let (reason, message) = told(&own).await;
    assert_eq!(reason, "False AuthorityExpired");
    assert!(
        message.starts_with("Renew the authorities that spec.telemetry.tls.caSecretRef names: the last was valid until 2020-01-01"),
        "{message}"
    );
}
