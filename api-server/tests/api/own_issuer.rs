//! A tenant that issues tokens of its own: what it publishes, to whom it hands tokens out, and which it accepts.

use std::ops::{Deref, DerefMut};
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_api_server::App;
use docket_contract::{SigningKeys, hash_api_key};
use docket_loopback::free_address;
use docket_testing_support::Process;
use http::{HeaderName, Request, StatusCode, header};
use ring::hmac;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::issuer::{Issuer, Signer, base64, now};
use crate::support::postgres::Postgres;
use crate::support::requests;
use crate::support::{Answer, Tenancy, eventually, send};

const URL: &str = "https://documents.acme.example";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// What a read is answered that ends at its query, once it is let in.
const LET_IN: StatusCode = StatusCode::BAD_REQUEST;

/// What the operator would write: `signer` signs, and `others` are published beside it.
fn keys(signer: &Signer, others: &[&Signer]) -> Value {
    let published = |key: &Signer| json!({"id": key.id(), "x": key.jwk["x"]});
    let all = [&[signer], others].concat();
    let all: Vec<Value> = all.into_iter().map(published).collect();
    json!({"signer": {"id": signer.id(), "privateKey": signer.pem}, "published": all})
}

/// A tenant that issues tokens, with the database of its clients.
struct Issuing {
    postgres: Postgres,
    tenancy: Tenancy,
}

impl Deref for Issuing {
    type Target = Tenancy;

    fn deref(&self) -> &Tenancy {
        &self.tenancy
    }
}

impl DerefMut for Issuing {
    fn deref_mut(&mut self) -> &mut Tenancy {
        &mut self.tenancy
    }
}

async fn issuing(mode: &str, url: &str) -> Issuing {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["auth"] = auth(mode, url);
    Issuing { postgres, tenancy }
}

/// The same without a database: no token is issued.
fn tenancy(mode: &str, url: &str) -> Tenancy {
    let mut tenancy = Tenancy::without_database(mode);
    tenancy.config["auth"] = auth(mode, url);
    tenancy
}

fn auth(mode: &str, url: &str) -> Value {
    json!({"mode": mode, "issuer": {"url": url, "tokenLifetimeSeconds": 900}})
}

/// A server of its own with the keys that it reads at its start.
fn start(tenancy: &Tenancy, keys: &Value) -> (Arc<App>, Router) {
    let config = tenancy.config_file();
    std::fs::write(config.with_file_name("signing-keys.json"), keys.to_string()).expect("written");
    let config = format!("--config={}", config.display());
    let app = tenancy.app_with(&[&config, "--jwks-cooldown=200ms"]);
    (app.clone(), docket_api_server::public_router(app))
}

fn follow(app: &App, keys: &Value) {
    let keys: SigningKeys = serde_json::from_value(keys.clone()).expect("keys");
    let issuer = app.platform().access.own_issuer.as_ref();
    assert!(issuer.expect("an issuer").take(&keys).expect("usable keys"));
}

fn basic(name: &str, key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{key}")))
}

async fn ask_for_token(router: &Router, headers: &[(HeaderName, &str)], body: &str) -> Answer {
    let mut request = Request::post("/oauth2/token");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let body = Body::from(body.to_owned());
    send(router, request.body(body).expect("a request")).await
}

const FORM: (HeaderName, &str) = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");

/// What `globex` is answered that asks for a token with these scopes.
async fn answer_to_globex(router: &Router, scope: &str) -> Answer {
    let by_basic = basic("globex", "globex-key");
    let headers = [FORM, (header::AUTHORIZATION, &*by_basic)];
    let body = format!("grant_type=client_credentials&scope={scope}");
    ask_for_token(router, &headers, &body).await
}

async fn token_of_globex(router: &Router, scope: &str) -> String {
    let answer = answer_to_globex(router, scope).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

async fn get(router: &Router, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    send(router, request.body(Body::empty()).expect("a request")).await
}

async fn read(router: &Router, client: &str, token: &str) -> Answer {
    let path = format!("/clients/{client}/documents?limit=0");
    get(
        router,
        &path,
        &[(header::AUTHORIZATION, &format!("Bearer {token}"))],
    )
    .await
}

async fn is_let_in(router: &Router, token: &str) -> bool {
    let answer = read(router, "globex", token).await;
    assert!(
        [LET_IN, StatusCode::UNAUTHORIZED].contains(&answer.status),
        "{answer:?}"
    );
    answer.status == LET_IN
}

/// Claims as the issuer itself makes them.
fn claims() -> Value {
    json!({"iss": URL, "aud": URL, "sub": "globex", "client_id": "globex", "scope": "documents:read",
        "iat": now(), "exp": now() + 300, "jti": "1"})
}

fn header_of(key: &Signer) -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.id()})
}

#[tokio::test]
async fn a_client_gets_a_token_for_its_key_that_does_what_it_asked_for_and_nothing_else() {
    let key = Signer::ed25519("a");
    let tenancy = issuing("ApiKey", URL).await;
    let (_app, router) = start(&tenancy, &keys(&key, &[]));
    let answer = answer_to_globex(&router, "documents:read").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let mut body = answer.json();
    let token = body["access_token"].take();
    let token = token.as_str().expect("a token");
    let expected = json!({"access_token": null, "token_type": "Bearer", "expires_in": 900, "scope": "documents:read"});
    assert_eq!(body, expected);

    assert_eq!(read(&router, "globex", token).await.status, LET_IN);
    let audit = "/clients/globex/audit";
    let bearer = format!("Bearer {token}");
    let refused = get(&router, audit, &[(header::AUTHORIZATION, &bearer)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused.json()["type"],
        "urn:docket:problem:insufficient-scope"
    );
    let refused = read(&router, "initech", token).await;
    assert_eq!(refused.json()["type"], "urn:docket:problem:client-refused");

    // The key goes on opening the routes, and goes before a token that is sent along.
    let path = "/clients/globex/documents?limit=0";
    for headers in [
        vec![(API_KEY, "globex-key")],
        vec![
            (API_KEY, "globex-key"),
            (header::AUTHORIZATION, "Bearer a.b.c"),
        ],
    ] {
        assert_eq!(get(&router, path, &headers).await.status, LET_IN);
    }
    let neither = get(&router, path, &[]).await;
    assert_eq!(neither.json()["type"], "urn:docket:problem:api-key-missing");
}

#[tokio::test]
async fn a_key_in_its_own_header_and_a_name_in_the_form_do_as_well_as_basic() {
    let tenancy = issuing("ApiKey", URL).await;
    let (_app, router) = start(&tenancy, &keys(&Signer::ed25519("a"), &[]));
    let body =
        "grant_type=client_credentials&scope=documents:write%20documents:read&client_id=globex";
    let answer = ask_for_token(&router, &[FORM, (API_KEY, "globex-key")], body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["scope"], "documents:write documents:read");
}

#[tokio::test]
async fn who_gets_no_token_is_told_why_in_the_words_of_rfc_6749_and_of_rfc_9457() {
    let tenancy = tenancy("ApiKey", URL);
    let (_app, router) = start(&tenancy, &keys(&Signer::ed25519("a"), &[]));
    let good = "grant_type=client_credentials&scope=documents:read";
    let (right, wrong) = (
        basic("globex", "globex-key"),
        basic("globex", "initech-key"),
    );
    let nobody = basic("nobody", "globex-key");
    let by = |basic: &'static str| (header::AUTHORIZATION, basic);
    let [right, wrong, nobody] = [right, wrong, nobody].map(|text| by(text.leak()));
    let as_json = (header::CONTENT_TYPE, "application/json");
    for (what, headers, body, status, error) in [
        (
            "another's key",
            vec![FORM, wrong],
            good,
            401,
            "invalid_client",
        ),
        (
            "a client that does not exist",
            vec![FORM, nobody],
            good,
            401,
            "invalid_client",
        ),
        ("no key", vec![FORM], good, 401, "invalid_client"),
        (
            "a token",
            vec![FORM, by("Bearer a.b.c")],
            good,
            401,
            "invalid_client",
        ),
        (
            "two ways",
            vec![FORM, right.clone(), (API_KEY, "globex-key")],
            good,
            400,
            "invalid_request",
        ),
        (
            "no form",
            vec![as_json, right.clone()],
            good,
            400,
            "invalid_request",
        ),
        (
            "nothing",
            vec![FORM, right.clone()],
            "",
            400,
            "invalid_request",
        ),
        (
            "a password",
            vec![FORM, right.clone()],
            "grant_type=password",
            400,
            "unsupported_grant_type",
        ),
        (
            "no scope",
            vec![FORM, right.clone()],
            "grant_type=client_credentials",
            400,
            "invalid_scope",
        ),
        (
            "a scope that there is not",
            vec![FORM, right],
            "grant_type=client_credentials&scope=everything",
            400,
            "invalid_scope",
        ),
    ] {
        let answer = ask_for_token(&router, &headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {answer:?}");
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/json",
            "{what}"
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{what}");
        let body = answer.json();
        assert_eq!(body["error"], error, "{what}");
        assert_eq!(body["error_description"], body["detail"], "{what}");
        let kind = format!("urn:docket:problem:{}", error.replace('_', "-"));
        assert_eq!(body["type"], kind, "{what}");
        let challenge = answer.headers.get(header::WWW_AUTHENTICATE);
        assert_eq!(challenge.is_some(), status == 401, "{what}");
    }
    let large = format!("{good}&x={}", "a".repeat(100_000));
    let answer = ask_for_token(&router, &[FORM], &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn requests_for_tokens_count_as_the_clients_others_do() {
    let mut tenancy = issuing("ApiKey", URL).await;
    tenancy.config["rateLimit"] = json!({"requestsPerSecond": 1, "burst": 1});
    let (_app, router) = start(&tenancy, &keys(&Signer::ed25519("a"), &[]));
    let first = answer_to_globex(&router, "documents:read").await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.headers.contains_key("ratelimit"));
    let second = answer_to_globex(&router, "documents:read").await;
    assert_eq!(second.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(second.json()["type"], "urn:docket:problem:rate-limited");
    assert!(second.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn hostile_tokens_that_name_the_tenant_as_their_issuer_are_refused_with_the_reason() {
    let (key, other, attacker) = (
        Signer::ed25519("a"),
        Signer::ed25519("b"),
        Signer::ed25519("c"),
    );
    let tenancy = tenancy("ApiKey", URL);
    let (_app, router) = start(&tenancy, &keys(&key, &[&other]));
    let with = |change: Value| {
        let mut claims = claims();
        for (name, value) in change.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        key.token_with(&header_of(&key), &claims)
    };
    let typed = |header: Value| key.token_with(&header, &claims());
    let symmetric = |secret: &[u8]| {
        let header = base64(json!({"alg": "HS256", "typ": "at+jwt", "kid": "a"}).to_string());
        let message = format!("{header}.{}", base64(claims().to_string()));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!(
            "{message}.{}",
            base64(hmac::sign(&secret, message.as_bytes()))
        )
    };
    let unsigned = {
        let header = base64(json!({"alg": "none", "typ": "at+jwt", "kid": "a"}).to_string());
        format!("{header}.{}.", base64(claims().to_string()))
    };
    let x = key.jwk["x"].as_str().expect("a key");
    assert!(
        is_let_in(&router, &with(json!({}))).await,
        "nothing is wrong with it"
    );
    for (what, token, why) in [
        ("expired", with(json!({"exp": now() - 120})), "has expired"),
        (
            "for another audience",
            with(json!({"aud": "docket"})),
            "another audience",
        ),
        (
            "of another issuer",
            with(json!({"iss": "https://login.example.com"})),
            "another issuer",
        ),
        ("no signature", unsigned, "no token that is signed"),
        (
            "HMAC with the public key as text",
            symmetric(x.as_bytes()),
            "not that of its key",
        ),
        (
            "HMAC with the published key",
            symmetric(key.jwk.to_string().as_bytes()),
            "not that of its key",
        ),
        (
            "another key's id",
            typed(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "b"})),
            "the signature is not",
        ),
        (
            "no key's id",
            typed(json!({"alg": "EdDSA", "typ": "at+jwt"})),
            "which key it is signed with",
        ),
        (
            "a key that is not published",
            attacker.token_with(&header_of(&attacker), &claims()),
            "no such key",
        ),
        (
            "its own key along",
            attacker.token_with(
                &json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "a", "jwk": attacker.jwk}),
                &claims(),
            ),
            "the signature is not",
        ),
        (
            "signed for something else",
            typed(json!({"alg": "EdDSA", "typ": "JWT", "kid": "a"})),
            "opens an API",
        ),
        (
            "signed for nothing said",
            typed(json!({"alg": "EdDSA", "kid": "a"})),
            "opens an API",
        ),
    ] {
        let answer = read(&router, "globex", &token).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{what}: {answer:?}"
        );
        let detail = answer.json()["detail"]
            .as_str()
            .expect("a sentence")
            .to_owned();
        assert!(detail.contains(why), "{what}: {detail}");
    }
}

#[tokio::test]
async fn tokens_of_the_key_before_are_good_until_it_is_no_longer_published() {
    let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
    let tenancy = issuing("ApiKey", URL).await;
    let (app, router) = start(&tenancy, &keys(&old, &[]));
    let by_old = token_of_globex(&router, "documents:read").await;
    let by_new = new.token_with(&header_of(&new), &claims());
    assert!(!is_let_in(&router, &by_new).await);
    // Another pod may sign with the next key already.
    follow(&app, &keys(&old, &[&new]));
    assert!(is_let_in(&router, &by_old).await && is_let_in(&router, &by_new).await);
    follow(&app, &keys(&new, &[&old]));
    let after = token_of_globex(&router, "documents:read").await;
    for token in [&by_old, &by_new, &after] {
        assert!(is_let_in(&router, token).await);
    }
    follow(&app, &keys(&new, &[]));
    assert!(!is_let_in(&router, &by_old).await);
    assert!(is_let_in(&router, &after).await);
}

#[tokio::test]
async fn beside_another_issuer_each_token_is_checked_by_the_keys_of_the_one_that_it_names() {
    let (own, others) = (Signer::ed25519("a"), Signer::ed25519("a"));
    let other = Issuer::start(&[&others]).await;
    let mut tenancy = issuing("Jwt", URL).await;
    tenancy.config["auth"]["jwt"] =
        json!({"issuer": other.url(), "audience": "docket", "clientClaim": "client_id"});
    let (_app, router) = start(&tenancy, &keys(&own, &[]));
    let of_other = others.token(&other.claims());
    eventually("the other's keys are here", async || {
        read(&router, "globex", &of_other).await.status == LET_IN
    })
    .await;
    let of_own = token_of_globex(&router, "documents:read").await;
    assert!(is_let_in(&router, &of_own).await);
    for (what, token) in [
        (
            "the other's key for the tenant's name",
            others.token_with(&header_of(&own), &claims()),
        ),
        (
            "the tenant's key for the other's name",
            own.token(&other.claims()),
        ),
        (
            "the tenant's key and name for the other's audience",
            own.token_with(&header_of(&own), &{
                let mut claims = claims();
                claims["aud"] = json!("docket");
                claims
            }),
        ),
    ] {
        assert!(!is_let_in(&router, &token).await, "{what}");
    }
    // A key opens what it is exchanged at, and nothing else.
    let path = "/clients/globex/documents?limit=0";
    let by_key = get(&router, path, &[(API_KEY, "globex-key")]).await;
    assert_eq!(by_key.json()["type"], "urn:docket:problem:token-missing");
}

#[tokio::test]
async fn other_servers_find_the_keys_by_the_name_of_the_issuer_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let key = Signer::ed25519("a");
    let issuing = issuing("ApiKey", &url).await;
    let (_app, issuer) = start(&issuing, &keys(&key, &[]));
    let served = issuer.clone();
    tokio::spawn(async move { axum::serve(listener, served).await });

    let mut tenancy = Tenancy::without_database("Jwt");
    tenancy.config["auth"]["jwt"] =
        json!({"issuer": url, "audience": url, "clientClaim": "client_id"});
    let router = docket_api_server::public_router(tenancy.app_with(&["--jwks-cooldown=200ms"]));
    let token = token_of_globex(&issuer, "documents:read").await;
    eventually("the token is accepted there", async || {
        read(&router, "globex", &token).await.status == LET_IN
    })
    .await;

    let keys = get(&issuer, "/.well-known/jwks.json", &[]).await;
    assert_eq!(
        keys.headers[header::CONTENT_TYPE],
        "application/jwk-set+json"
    );
    assert_eq!(keys.headers[header::CACHE_CONTROL], "public, max-age=300");
    let mut jwk = key.jwk.clone();
    jwk["alg"] = json!("EdDSA");
    assert_eq!(keys.json(), json!({"keys": [jwk]}));
    let [oauth, openid] = ["oauth-authorization-server", "openid-configuration"];
    let oauth = get(&issuer, &format!("/.well-known/{oauth}"), &[])
        .await
        .json();
    let openid = get(&issuer, &format!("/.well-known/{openid}"), &[])
        .await
        .json();
    assert_eq!(oauth, openid);
    assert_eq!(oauth["token_endpoint"], format!("{url}/oauth2/token"));
    let scopes = json!([
        "audit:read",
        "documents:admin",
        "documents:read",
        "documents:write",
        "usage:read"
    ]);
    assert_eq!(oauth["scopes_supported"], scopes);
}

#[tokio::test]
async fn before_its_keys_are_here_the_server_is_not_ready_and_nothing_is_signed() {
    let tenancy = issuing("ApiKey", URL).await;
    let (app, router) = start(&tenancy, &json!({}));
    let ready = get(&router, "/readyz", &[]).await;
    assert!(
        ready
            .text()
            .contains("the tenant's own signing keys are not here"),
        "{ready:?}"
    );
    for answer in [
        answer_to_globex(&router, "documents:read").await,
        get(&router, "/.well-known/jwks.json", &[]).await,
        read(&router, "globex", "a.b.c").await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert_eq!(
            answer.json()["type"],
            "urn:docket:problem:issuer-unavailable"
        );
    }
    let by_key = get(
        &router,
        "/clients/globex/documents?limit=0",
        &[(API_KEY, "globex-key")],
    )
    .await;
    assert_eq!(by_key.status, LET_IN, "keys open what they did");
    follow(&app, &keys(&Signer::ed25519("a"), &[]));
    let ready = get(&router, "/readyz", &[]).await;
    assert!(!ready.text().contains("signing keys"), "{ready:?}");
    token_of_globex(&router, "documents:read").await;
}

#[tokio::test]
async fn a_server_that_ends_refuses_nobody_whom_a_newer_one_may_know() {
    let tenancy = issuing("ApiKey", URL).await;
    let (app, router) = start(&tenancy, &keys(&Signer::ed25519("a"), &[]));
    app.drain();
    let unknown = basic("hooli", "hooli-key");
    let headers = [FORM, (header::AUTHORIZATION, &*unknown)];
    let body = "grant_type=client_credentials&scope=documents:read";
    let answer = ask_for_token(&router, &headers, body).await;
    assert_eq!(answer.json()["type"], "urn:docket:problem:draining");
    token_of_globex(&router, "documents:read").await;
}

#[tokio::test]
async fn whoever_stops_in_the_middle_of_a_request_for_a_token_is_not_waited_for() {
    let tenancy = tenancy("ApiKey", URL);
    let app = tenancy.app_with(&["--request-timeout=100ms"]);
    let router = docket_api_server::public_router(app);
    let silence = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request = Request::post("/oauth2/token").body(Body::from_stream(silence));
    let answer = send(&router, request.expect("a request")).await;
    assert_eq!(
        answer.json()["type"],
        "urn:docket:problem:deadline-exceeded"
    );
}

#[tokio::test]
async fn a_tenant_without_an_issuer_hands_out_nothing_and_publishes_nothing() {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = docket_api_server::public_router(tenancy.app());
    let token = answer_to_globex(&router, "documents:read").await;
    let keys = get(&router, "/.well-known/jwks.json", &[]).await;
    for answer in [token, keys] {
        assert_eq!(answer.json()["type"], "urn:docket:problem:no-route");
    }
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let with_none = tenancy("None", URL);
    let mut named_twice = tenancy("Jwt", URL);
    named_twice.config["auth"]["jwt"] =
        json!({"issuer": URL, "audience": "docket", "clientClaim": "client_id"});
    for (tenancy, why) in [
        (
            with_none,
            "needs a mode in which somebody is asked for a token",
        ),
        (named_twice, "has the name of another"),
    ] {
        let refused = docket_platform::tenant::Tenant::load(&tenancy.config_file());
        let refused = format!("{:#}", refused.expect_err(why));
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_follows_the_file_and_keeps_its_keys_when_that_breaks() {
    docket_platform::install_crypto();
    let tenancy = issuing("ApiKey", URL).await;
    let file = tenancy.config_file().with_file_name("signing-keys.json");
    let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
    let write = |keys: &str| std::fs::write(&file, keys).expect("written");
    write(&keys(&old, &[]).to_string());
    let address = free_address().expect("an address");
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
    command
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .arg(format!("--config={}", tenancy.config_file().display()))
        .arg(format!("--listen={address}"))
        .arg("--data-store-listen=127.0.0.1:0")
        .arg("--operations-listen=127.0.0.1:0");
    let log = tenancy.folder.path().join("log");
    let process = Process::start(command, log).expect("a process");
    let published = async || {
        let url = format!("http://{address}/.well-known/jwks.json");
        let answer = reqwest::get(url).await.ok()?;
        answer.text().await.ok()
    };
    let has = async |id: &str| {
        let text = published().await.unwrap_or_default();
        text.contains(&format!("\"kid\":\"{id}\""))
    };
    eventually("it publishes its key", async || has("old").await).await;
    let broken = keys(&new, &[&old])
        .to_string()
        .replace("PRIVATE KEY", "KEY");
    write(&broken);
    eventually("it says that it cannot use the file", async || {
        process
            .log()
            .contains("the file of signing keys cannot be used")
    })
    .await;
    assert!(has("old").await);
    write(&keys(&new, &[&old]).to_string());
    eventually("it publishes both", async || {
        has("old").await && has("new").await
    })
    .await;
    let secret = new
        .pem
        .as_deref()
        .expect("a key")
        .lines()
        .nth(1)
        .expect("base64");
    assert!(
        !process.log().contains(secret),
        "what is secret is in no log"
    );
}

#[tokio::test]
async fn a_key_that_everybody_may_read_gets_no_token() {
    let key = Signer::ed25519("first");
    let mut tenancy = tenancy("ApiKey", URL);
    let publishable = json!({
        "hash": hash_api_key("pk_globex").0,
        "scope": "documents:read",
        "origins": ["https://www.globex.example"],
    });
    tenancy.config["clients"][0]["publishableKeys"] = json!([publishable]);
    let (_, router) = start(&tenancy, &keys(&key, &[]));
    let origin = (header::ORIGIN, "https://www.globex.example");
    let by_basic = basic("globex", "pk_globex");
    for proof in [(header::AUTHORIZATION, &*by_basic), (API_KEY, "pk_globex")] {
        let headers = [FORM, origin.clone(), proof];
        let body = "grant_type=client_credentials&scope=documents:read&client_id=globex";
        let answer = ask_for_token(&router, &headers, body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client");
    }
}

#[tokio::test]
async fn a_request_for_a_token_is_counted_and_answered_as_any_other_of_a_client() {
    let key = Signer::ed25519("first");
    let tenancy = issuing("ApiKey", URL).await;
    let (_, router) = start(&tenancy, &keys(&key, &[]));
    let answer = answer_to_globex(&router, "documents:read").await;
    assert!(answer.headers.contains_key("x-request-id"), "{answer:?}");
    let wrong_method = get(&router, "/oauth2/token", &[]).await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
    let media_type = &wrong_method.headers[header::CONTENT_TYPE];
    assert_eq!(media_type, "application/problem+json");
    let metrics = get(&router, "/metrics", &[]).await.text();
    let counted = |line: &&str| {
        line.starts_with("http_requests_total")
            && [
                r#"docket_workload="platform""#,
                r#"method="POST""#,
                r#"path="/oauth2/token""#,
            ]
            .iter()
            .all(|label| line.contains(label))
    };
    assert!(metrics.lines().any(|line| counted(&line)), "{metrics}");
}

#[tokio::test]
async fn the_audit_log_says_who_was_issued_which_token_for_what_and_has_nothing_of_refused_ones() {
    let key = Signer::ed25519("first");
    let mut tenancy = issuing("ApiKey", URL).await;
    tenancy.config["rateLimit"] = json!({"requestsPerSecond": 1, "burst": 2});
    let (_app, router) = start(&tenancy, &keys(&key, &[]));
    let headers = [FORM, (API_KEY, "globex-key")];
    let refused = "grant_type=client_credentials&scope=no:scope&client_id=globex";
    let refused = ask_for_token(&router, &headers, refused).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    let stranger = ask_for_token(&router, &[FORM], "grant_type=client_credentials&scope=a").await;
    assert_ne!(stranger.status, StatusCode::OK, "{stranger:?}");

    let answer = answer_to_globex(&router, "documents:read+usage:read").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let token = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let claims = token.split('.').nth(1).expect("claims");
    let claims: Value = serde_json::from_slice(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(claims)
            .expect("base64"),
    )
    .expect("JSON");
    let mut limited = answer_to_globex(&router, "documents:read").await;
    while limited.status == StatusCode::OK {
        limited = answer_to_globex(&router, "documents:read").await;
    }
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);

    let mut trail = None;
    eventually("the client may ask again", async || {
        let path = format!(
            "audit?subject_kind=token&subject_id={}",
            claims["jti"].as_str().expect("an id")
        );
        let answer = requests::get(&router, "globex", &path).await;
        trail = (answer.status == StatusCode::OK).then(|| answer.json());
        trail.is_some()
    })
    .await;
    let trail = trail.expect("a page");
    assert!(!trail.to_string().contains(&token), "never the token");
    let entries = trail["entries"].as_array().expect("entries");
    let [entry] = &entries[..] else {
        panic!("one: {trail}");
    };
    let hash = hash_api_key("globex-key").0;
    assert_eq!(entry["actor"], format!("key:{}", &hash[..8]));
    assert_eq!(entry["action"], "issue");
    assert_eq!(entry["subject_version"], Value::Null);
    let request_id = answer.headers["x-request-id"].to_str().expect("ASCII");
    assert_eq!(entry["request_id"], request_id);
    let expected =
        json!({"scope": "documents:read usage:read", "key_id": key.id(), "expires_in": 900});
    assert_eq!(entry["details"], expected);

    let schema = tenancy.identity("globex").schema;
    let sql = format!("SELECT count(*) FROM {schema}.audit_log");
    let mut superuser = tenancy.postgres.superuser().await;
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&mut superuser)
        .await
        .expect("a count");
    let answered = tokens_issued(&router).await;
    assert_eq!(count, answered, "each that was issued, and no other");
}

/// Tokens that were answered with.
async fn tokens_issued(router: &Router) -> i64 {
    let metrics = get(router, "/metrics", &[]).await.text();
    let is_issued = |line: &&str| {
        line.starts_with("http_requests_total")
            && line.contains(r#"path="/oauth2/token""#)
            && line.contains(r#"status="200""#)
    };
    let line = metrics.lines().find(is_issued).expect("some were issued");
    let (_, count) = line.rsplit_once(' ').expect("a value");
    count.parse().expect("a count")
}

#[tokio::test]
async fn no_token_is_issued_of_which_the_audit_log_cannot_tell() {
    let tenancy = tenancy("ApiKey", URL);
    let (_app, router) = start(&tenancy, &keys(&Signer::ed25519("a"), &[]));
    let answer = answer_to_globex(&router, "documents:read").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json()["type"],
        "urn:docket:problem:database-unavailable"
    );
    assert_eq!(answer.json()["access_token"], Value::Null);
}
