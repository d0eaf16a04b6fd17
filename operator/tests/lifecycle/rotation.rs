//! Credentials that are made anew while pods use them.

use docket_contract::{PublishableKey, SIGNING_KEYS_FILE, SigningKeys, TenantConfig, hash_api_key};
use docket_crds::{annotations, names};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const CREDENTIALS: &str = "/api/v1/namespaces/acme/secrets/acme-credentials";

async fn ready() -> (Postgres, Cluster) {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    (postgres, cluster)
}

/// Role and password, as a pod that starts now reads them.
fn login(cluster: &Cluster) -> (String, String) {
    let client = config(cluster).clients.remove(0);
    (client.role, client.password.expose_secret().to_owned())
}

/// The login that can still be used beside the new one, as the status tells.
fn retiring(cluster: &Cluster) -> Option<String> {
    let mut clients = cluster.tenant().status.expect("a status").clients;
    clients.remove(0).retiring
}

fn config(cluster: &Cluster) -> TenantConfig {
    let file = cluster.secret("acme-api", "tenant.json").expect("a file");
    serde_json::from_str(&file).expect("a configuration")
}

async fn works(postgres: &Postgres, (role, password): &(String, String)) -> bool {
    let Ok(mut connection) = postgres.login(role, password).await else {
        return false;
    };
    // As a pod's statements do: in the schema of the client, without naming it.
    sqlx::query("SELECT count(*) FROM document_metadata")
        .execute(&mut connection)
        .await
        .is_ok()
}

/// Reconciles until nobody can use `login`: the operator leaves it while it sees a session of it, and Postgres
/// may end one a moment after whoever tried the login has closed it.
async fn becomes_useless(cluster: &Cluster, postgres: &Postgres, login: &(String, String)) {
    for _ in 0..100 {
        if !works(postgres, login).await {
            return;
        }
        cluster.settle().await;
    }
    panic!("it can still log in");
}

fn ask(cluster: &Cluster, annotation: &str, value: &str) {
    cluster.change(json!({"metadata": {"annotations": {annotation: value}}}));
}

fn template(cluster: &Cluster) -> Value {
    cluster.get(DEPLOYMENT)["spec"]["template"].clone()
}

#[tokio::test]
async fn a_login_is_rotated_on_demand_and_both_work_until_no_pod_uses_the_old_one() {
    let (postgres, cluster) = ready().await;
    let mut old = login(&cluster);
    for round in ["first", "second", "third"] {
        cluster.hold_pods(true);
        ask(&cluster, annotations::ROTATE, round);
        for _ in 0..3 {
            cluster.reconcile().await.expect("a rollout begins");
        }
        let new = login(&cluster);
        assert_ne!((&old.0, &old.1), (&new.0, &new.1));
        assert_eq!(retiring(&cluster).as_ref(), Some(&old.0), "{round}");
        assert!(
            works(&postgres, &old).await && works(&postgres, &new).await,
            "{round}"
        );
        cluster.hold_pods(false);
        // Sessions of this test may be there for a moment longer.
        for _ in 0..100 {
            cluster.reconcile().await.expect("the rollout is complete");
            if !works(&postgres, &old).await {
                break;
            }
        }
        assert_eq!(retiring(&cluster), None, "{round}: said at once");
        cluster.settle().await;
        assert!(
            !works(&postgres, &old).await && works(&postgres, &new).await,
            "{round}"
        );
        let clients = cluster.tenant().status.expect("a status").clients;
        assert_eq!(clients[0].role, new.0);
        old = new;
    }
    let told: Vec<String> = cluster.events().into_iter().map(|(_, note)| note).collect();
    assert!(
        told.iter()
            .any(|note| note.contains("rotated the login of schema acme_globex")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_rotation_that_is_asked_for_during_another_begins_after_it() {
    let (postgres, cluster) = ready().await;
    let first = login(&cluster);
    cluster.hold_pods(true);
    ask(&cluster, annotations::ROTATE, "a");
    cluster.reconcile().await.expect("a rollout begins");
    let second = login(&cluster);
    ask(&cluster, annotations::ROTATE, "b");
    for _ in 0..3 {
        cluster.reconcile().await.expect("it waits");
    }
    assert_eq!(login(&cluster), second);
    assert!(works(&postgres, &first).await && works(&postgres, &second).await);
    cluster.hold_pods(false);
    cluster.settle().await;
    let third = login(&cluster);
    assert_ne!(third, second);
    assert!(works(&postgres, &third).await && !works(&postgres, &second).await);
}

#[tokio::test]
async fn wherever_a_rotation_is_cut_off_what_pods_read_logs_in_and_it_ends_as_if_it_had_not_been() {
    let (postgres, cluster) = ready().await;
    let mut cuts = 0;
    for done in [false, true] {
        for count in 0.. {
            let before = login(&cluster);
            ask(&cluster, annotations::ROTATE, &format!("{done} {count}"));
            cluster.fail_after(count, done);
            for _ in 0..2 {
                // A failure is what this is about.
                let _ = cluster.reconcile().await;
                assert!(works(&postgres, &login(&cluster)).await, "{done} {count}");
            }
            let over = cluster.forget_failure();
            cluster.settle().await;
            let after = login(&cluster);
            assert_ne!(before, after);
            assert!(works(&postgres, &after).await);
            becomes_useless(&cluster, &postgres, &before).await;
            if over {
                break;
            }
            cuts += 1;
        }
    }
    assert!(cuts >= 8, "{cuts}");
}

#[tokio::test]
async fn a_login_is_rotated_when_its_time_has_come_and_not_before() {
    let (_postgres, cluster) = ready().await;
    let first = login(&cluster);
    cluster.change(json!({"spec": {"credentials": {"rotation": "30d"}}}));
    cluster.settle().await;
    assert_eq!(login(&cluster), first);
    let mut secret = cluster.get(CREDENTIALS);
    secret["metadata"]["annotations"][annotations::ROTATED_AT] = "2020-01-01T00:00:00Z".into();
    cluster.put(CREDENTIALS, secret);
    cluster.settle().await;
    assert_ne!(login(&cluster), first);
    let second = login(&cluster);
    cluster.settle().await;
    assert_eq!(login(&cluster), second);
}

#[tokio::test]
async fn a_lost_secret_locks_no_pod_out() {
    let (postgres, cluster) = ready().await;
    let old = login(&cluster);
    cluster.hold_pods(true);
    cluster.remove(CREDENTIALS);
    cluster.reconcile().await.expect("it is made anew");
    assert!(works(&postgres, &old).await && works(&postgres, &login(&cluster)).await);
    cluster.hold_pods(false);
    cluster.settle().await;
    assert!(!works(&postgres, &old).await && works(&postgres, &login(&cluster)).await);
}

#[tokio::test]
async fn of_a_tenant_that_goes_neither_login_works() {
    let (postgres, cluster) = ready().await;
    cluster.hold_pods(true);
    let old = login(&cluster);
    ask(&cluster, annotations::ROTATE, "a");
    cluster.reconcile().await.expect("a rollout begins");
    let new = login(&cluster);
    cluster.change(json!({"metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z"}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    assert!(!works(&postgres, &old).await && !works(&postgres, &new).await);
}

#[tokio::test]
async fn an_api_key_is_valid_in_every_pod_before_it_is_handed_out_and_the_one_before_stays_valid() {
    let (_postgres, cluster) = ready().await;
    let entry = |name: &str| cluster.secret(&names::api_keys_secret("acme"), name);
    let valid = |key: &str| {
        config(&cluster).clients[0]
            .api_key_hashes
            .contains(&hash_api_key(key))
    };
    let old = entry("globex").expect("a key");
    cluster.hold_pods(true);
    ask(&cluster, annotations::ROTATE_API_KEYS, "a");
    for _ in 0..3 {
        cluster.reconcile().await.expect("a rollout begins");
    }
    let new = entry("globex.upcoming").expect("the next key");
    assert_eq!(
        entry("globex").as_ref(),
        Some(&old),
        "no pod may know the new one yet"
    );
    assert!(valid(&old) && valid(&new));
    let rolled_out = template(&cluster);
    cluster.hold_pods(false);
    cluster.settle().await;
    assert_eq!(entry("globex").as_ref(), Some(&new));
    assert_eq!(entry("globex.previous").as_ref(), Some(&old));
    assert_eq!(entry("globex.upcoming"), None);
    assert_eq!(template(&cluster), rolled_out, "one rollout is enough");
    cluster.remove_entry(&names::api_keys_secret("acme"), "globex.previous");
    cluster.settle().await;
    assert_eq!(entry("globex.previous"), None);
    assert!(valid(&new) && !valid(&old));
}

const PAGE_KEY: &str = "globex.publishable.pageViews";

/// A tenant whose clients' pages, of the origin `https://www.globex.example`, tell of views.
async fn with_pages() -> (Postgres, Cluster) {
    let (postgres, cluster) = ready().await;
    cluster.change(pages(&["https://www.globex.example"]));
    cluster.settle().await;
    (postgres, cluster)
}

fn pages(origins: &[&str]) -> Value {
    json!({"spec": {"workloads": {"pageViews": {"origins": origins}}}})
}

/// What the Secret of API keys has under this name.
fn api_key(cluster: &Cluster, entry: &str) -> Option<String> {
    cluster.secret(&names::api_keys_secret("acme"), entry)
}

/// The publishable keys that pods know.
fn publishable_keys(cluster: &Cluster) -> Vec<PublishableKey> {
    config(cluster).clients.remove(0).publishable_keys
}

fn knows(keys: &[PublishableKey], key: &str) -> bool {
    keys.iter().any(|known| known.hash == hash_api_key(key))
}

#[tokio::test]
async fn a_publishable_key_is_made_for_the_origins_of_the_spec_and_follows_them() {
    let (_postgres, cluster) = with_pages().await;
    let key = api_key(&cluster, PAGE_KEY).expect("a key");
    assert!(key.starts_with("pk_"), "{key}");
    let known = publishable_keys(&cluster);
    assert!(knows(&known, &key) && known.len() == 1, "{known:?}");
    assert_eq!(known[0].origins, ["https://www.globex.example"]);
    assert_eq!(known[0].scope, "page-views:write");
    let secret = &config(&cluster).clients[0].api_key_hashes;
    assert!(!secret.contains(&hash_api_key(&key)), "it opens no more");

    cluster.change(pages(&["https://shop.globex.example"]));
    cluster.settle().await;
    assert_eq!(api_key(&cluster, PAGE_KEY).as_ref(), Some(&key));
    let known = publishable_keys(&cluster);
    assert!(knows(&known, &key));
    assert_eq!(known[0].origins, ["https://shop.globex.example"]);
}

#[tokio::test]
async fn a_publishable_key_is_rotated_with_its_clients_own_and_both_work_meanwhile() {
    let (_postgres, cluster) = with_pages().await;
    let entry = |ending: &str| api_key(&cluster, &format!("{PAGE_KEY}{ending}"));
    let old = entry("").expect("a key");
    cluster.hold_pods(true);
    ask(&cluster, annotations::ROTATE_API_KEYS, "a");
    for _ in 0..3 {
        cluster.reconcile().await.expect("a rollout begins");
    }
    let new = entry(".upcoming").expect("the next key");
    assert_eq!(
        entry("").as_ref(),
        Some(&old),
        "no pod may know the new one"
    );
    let known = publishable_keys(&cluster);
    assert!(knows(&known, &old) && knows(&known, &new));
    cluster.hold_pods(false);
    cluster.settle().await;
    assert_eq!(entry("").as_ref(), Some(&new));
    assert_eq!(entry(".previous").as_ref(), Some(&old));
    assert_eq!(entry(".upcoming"), None);
    let known = publishable_keys(&cluster);
    assert!(knows(&known, &old) && knows(&known, &new));
    let is_bound = |key: &PublishableKey| key.origins == ["https://www.globex.example"];
    assert!(known.iter().all(is_bound), "{known:?}");
}

#[tokio::test]
async fn a_publishable_key_stays_when_logins_and_signing_keys_are_rotated() {
    let (_postgres, cluster) = with_pages().await;
    cluster.change(json!({"spec": {"api": {"auth": {"issuer": {"tokenLifetime": "15m"}}}}}));
    settle_in_sight(&cluster).await;
    let before = api_key(&cluster, PAGE_KEY).expect("a key");
    let (login_before, (_, signing_before)) = (login(&cluster), signing(&cluster));
    for annotation in [annotations::ROTATE, annotations::ROTATE_SIGNING_KEYS] {
        ask(&cluster, annotation, "a");
    }
    settle_in_sight(&cluster).await;
    assert_ne!(login(&cluster), login_before);
    assert_ne!(signing(&cluster).1, signing_before);
    assert_eq!(api_key(&cluster, PAGE_KEY), Some(before));
    for ending in [".upcoming", ".previous"] {
        assert_eq!(api_key(&cluster, &format!("{PAGE_KEY}{ending}")), None);
    }
}

#[tokio::test]
async fn a_publishable_key_ends_with_what_asks_for_it_and_comes_back_as_another() {
    let (_postgres, cluster) = with_pages().await;
    ask(&cluster, annotations::ROTATE_API_KEYS, "a");
    cluster.settle().await;
    let own = api_key(&cluster, "globex").expect("a key");
    let mut ended = Vec::new();
    for without in [
        pages(&[]),
        json!({"spec": {"workloads": {"pageViews": null}}}),
    ] {
        ended.push(api_key(&cluster, PAGE_KEY).expect("a key"));
        cluster.change(without);
        cluster.settle().await;
        for ending in ["", ".previous"] {
            assert_eq!(api_key(&cluster, &format!("{PAGE_KEY}{ending}")), None);
        }
        assert!(publishable_keys(&cluster).is_empty());
        assert_eq!(api_key(&cluster, "globex").as_ref(), Some(&own));
        cluster.change(pages(&["https://www.globex.example"]));
        cluster.settle().await;
        let key = api_key(&cluster, PAGE_KEY).expect("a key");
        assert!(!ended.contains(&key), "what was shown stays ended");
    }
}

const SIGNING_KEYS: &str = "/api/v1/namespaces/acme/secrets/acme-signing-keys";

/// A tenant that issues tokens of its own.
async fn issuing() -> (Postgres, Cluster) {
    let (postgres, cluster) = ready().await;
    cluster.change(json!({"spec": {"api": {"auth": {"issuer": {"tokenLifetime": "15m"}}}}}));
    settle_in_sight(&cluster).await;
    (postgres, cluster)
}

/// Reconciles until nothing is left to do, and lets the watch bring what pods read.
async fn settle_in_sight(cluster: &Cluster) {
    cluster.settle().await;
    cluster.show_secret(&names::api_name("acme"));
}

/// The key that pods sign with, and those that they publish.
fn signing(cluster: &Cluster) -> (String, Vec<String>) {
    let file = cluster
        .secret("acme-api", SIGNING_KEYS_FILE)
        .expect("a file");
    let keys: SigningKeys = serde_json::from_str(&file).expect("keys");
    let published = keys.published.into_iter().map(|key| key.id).collect();
    (keys.signer.id, published)
}

/// Lets the last step of the keys have been so long ago.
fn long_ago(cluster: &Cluster, hours: i64) {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let mut secret = cluster.get(SIGNING_KEYS);
    secret["metadata"]["annotations"][annotations::ROTATED_AT] = then.to_string().into();
    cluster.put(SIGNING_KEYS, secret);
}

#[tokio::test]
async fn a_signing_key_is_published_before_it_signs_and_after_it_did() {
    let (_postgres, cluster) = issuing().await;
    let template_before = template(&cluster);
    let (old, published) = signing(&cluster);
    assert_eq!(published, std::slice::from_ref(&old));

    ask(&cluster, annotations::ROTATE_SIGNING_KEYS, "a");
    settle_in_sight(&cluster).await;
    let (signer, published) = signing(&cluster);
    assert_eq!((&signer, published.len()), (&old, 2));
    let new = published[1].clone();

    long_ago(&cluster, 1);
    settle_in_sight(&cluster).await;
    assert_eq!(
        signing(&cluster),
        (new.clone(), vec![new.clone(), old.clone()])
    );
    let entry = |name: &str| cluster.secret(&names::signing_keys_secret("acme"), name);
    assert!(entry(names::UPCOMING).is_none());
    let previous = entry(names::PREVIOUS).expect("what checks the tokens of before");
    assert!(!previous.contains("PRIVATE"), "what signed is gone");

    // Another one waits until no token of the first is good any more.
    ask(&cluster, annotations::ROTATE_SIGNING_KEYS, "b");
    settle_in_sight(&cluster).await;
    assert_eq!(signing(&cluster), (new.clone(), vec![new.clone(), old]));
    long_ago(&cluster, 25);
    settle_in_sight(&cluster).await;
    let (signer, published) = signing(&cluster);
    assert_eq!((&signer, published.len()), (&new, 2));
    assert_eq!(template(&cluster), template_before, "no pod was replaced");
}

#[tokio::test]
async fn a_signing_key_that_no_pod_could_see_signs_nothing_however_old_it_is() {
    let (_postgres, cluster) = issuing().await;
    let (old, _) = signing(&cluster);
    ask(&cluster, annotations::ROTATE_SIGNING_KEYS, "a");
    // Until the Secret of the keys is written, and the one that pods read is not.
    for count in 0.. {
        cluster.fail_after(count, false);
        cluster.reconcile().await.expect_err("it is cut off");
        let keys = names::signing_keys_secret("acme");
        if cluster.secret(&keys, names::UPCOMING).is_some() {
            break;
        }
    }
    assert_eq!(signing(&cluster).1, std::slice::from_ref(&old));
    long_ago(&cluster, 1);
    settle_in_sight(&cluster).await;
    let (signer, published) = signing(&cluster);
    assert_eq!((signer, published.len()), (old.clone(), 2));
    settle_in_sight(&cluster).await;
    assert_eq!(
        signing(&cluster).0,
        old,
        "its time begins when pods can see it"
    );
}

#[tokio::test]
async fn wherever_the_rotation_of_a_signing_key_is_cut_off_what_signs_is_published() {
    let (_postgres, cluster) = issuing().await;
    let mut cuts = 0;
    for done in [false, true] {
        for count in 0.. {
            let (before, _) = signing(&cluster);
            ask(
                &cluster,
                annotations::ROTATE_SIGNING_KEYS,
                &format!("{done} {count}"),
            );
            let mut over = true;
            for _ in 0..4 {
                cluster.fail_after(count, done);
                // A failure is what this is about.
                let _ = cluster.reconcile().await;
                over &= cluster.forget_failure();
                cluster.show_secret(&names::api_name("acme"));
                let (signer, published) = signing(&cluster);
                assert!(published.contains(&signer), "{done} {count}");
                assert!(published.contains(&before), "{done} {count}");
                settle_in_sight(&cluster).await;
                long_ago(&cluster, 1);
            }
            let (after, published) = signing(&cluster);
            assert_ne!(after, before, "{done} {count}");
            assert_eq!(published, [after, before], "{done} {count}");
            long_ago(&cluster, 25);
            settle_in_sight(&cluster).await;
            if over {
                break;
            }
            cuts += 1;
        }
    }
    assert!(cuts >= 4, "{cuts}");
}

#[tokio::test]
async fn a_tenant_that_issues_tokens_no_more_shows_its_keys_to_no_pod() {
    let (_postgres, cluster) = issuing().await;
    let kept = cluster.get(SIGNING_KEYS);
    cluster.change(json!({"spec": {"api": {"auth": {"issuer": null}}}}));
    settle_in_sight(&cluster).await;
    assert!(cluster.secret("acme-api", SIGNING_KEYS_FILE).is_none());
    assert!(config(&cluster).auth.issuer.is_none());
    assert_eq!(cluster.get(SIGNING_KEYS), kept);
}
