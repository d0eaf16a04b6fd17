//! Mode Jwt: which tokens open which client, and how the issuer's keys come here.

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use ring::hmac;
use serde_json::{Value, json};

use crate::support::issuer::{Issuer, Signer, base64, now};
use crate::support::{Answer, Tenancy, eventually, send};

fn tenancy(issuer: &str) -> Tenancy {
    let mut tenancy = Tenancy::without_database("Jwt");
    let jwt = json!({"issuer": issuer, "audience": "docket", "clientClaim": "client_id"});
    tenancy.config["auth"]["jwt"] = jwt;
    tenancy
}

const COOLDOWN: &str = "--jwks-cooldown=200ms";

async fn router(issuer: &Issuer) -> (Router, Tenancy) {
    let tenancy = tenancy(&issuer.url());
    let router = docket_api_server::public_router(tenancy.app_with(&[COOLDOWN]));
    eventually("the keys are here", async || issuer.asked() > 0).await;
    let any = "Bearer a.b.c";
    eventually("the keys are known", async || {
        ask(&router, Method::GET, "documents", Some(any))
            .await
            .status
            == StatusCode::UNAUTHORIZED
    })
    .await;
    (router, tenancy)
}

async fn ask(router: &Router, method: Method, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/clients/globex/{path}"));
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    send(router, request.body(Body::empty()).expect("a request")).await
}

/// A read that ends at its query, once it is let in.
async fn read(router: &Router, token: &str) -> Answer {
    let token = format!("Bearer {token}");
    ask(router, Method::GET, "documents?limit=0", Some(&token)).await
}

async fn write(router: &Router, token: &str) -> Answer {
    let token = format!("Bearer {token}");
    ask(router, Method::PUT, "upload-document", Some(&token)).await
}

const LET_IN: StatusCode = StatusCode::BAD_REQUEST;

fn with(claims: &Value, change: Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in change.as_object().expect("claims") {
        match value {
            Value::Null => claims.as_object_mut().expect("claims").remove(name),
            value => claims
                .as_object_mut()
                .expect("claims")
                .insert(name.clone(), value.clone()),
        };
    }
    claims
}

#[tokio::test]
async fn tokens_of_every_asymmetric_algorithm_let_their_client_in() {
    let keys = [
        Signer::ed25519("ed"),
        Signer::es256("es256"),
        Signer::es384("es384"),
        Signer::rs256("rs256"),
        Signer::ps256("ps256"),
    ];
    let issuer = Issuer::start(&keys.iter().collect::<Vec<_>>()).await;
    let (router, _tenancy) = router(&issuer).await;
    let claims = issuer.claims();
    for key in &keys {
        let answer = read(&router, &key.token(&claims)).await;
        assert_eq!(answer.status, LET_IN, "{} {answer:?}", key.algorithm);
    }
    for change in [
        json!({"aud": ["other", "docket"]}),
        json!({"client_id": ["initech", "globex"]}),
        json!({"scope": null, "scp": ["documents:read"]}),
        json!({"exp": now() - 30}),
        json!({"nbf": now() + 30}),
    ] {
        let token = keys[0].token(&with(&claims, change.clone()));
        let answer = read(&router, &token).await;
        assert_eq!(answer.status, LET_IN, "{change} {answer:?}");
    }
}

#[tokio::test]
async fn hostile_tokens_are_401_with_the_reason() {
    let (ed, ec, rsa) = (
        Signer::ed25519("ed"),
        Signer::es256("ec"),
        Signer::rs256("rsa"),
    );
    let attacker = Signer::es256("attacker");
    let issuer = Issuer::start(&[&ed, &ec, &rsa]).await;
    let (router, _tenancy) = router(&issuer).await;
    let claims = issuer.claims();
    let good = ed.token(&claims);
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let unsigned = |alg: &str| {
        let header = base64(json!({"alg": alg, "typ": "JWT", "kid": "ed"}).to_string());
        format!("{header}.{body}.")
    };
    let symmetric = |secret: &[u8]| {
        let header = base64(json!({"alg": "HS256", "kid": "rsa"}).to_string());
        let message = format!("{header}.{body}");
        let signed = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            message.as_bytes(),
        );
        format!("{message}.{}", base64(signed))
    };
    let public = rsa.jwk["n"].as_str().expect("a modulus").to_owned();
    let changed = |change: Value| ed.token(&with(&claims, change));
    let header = |header: Value| ed.token_with(&header, &claims);
    let raw = |payload: &str| {
        let text = ed.token(&json!(null));
        let head = text.split('.').next().expect("a header").to_owned();
        format!("{head}.{}.{signature}", base64(payload))
    };
    let zeros = {
        let token = ec.token(&claims);
        let message = token.rsplit_once('.').expect("a signature").0.to_owned();
        format!("{message}.{}", base64([0; 64]))
    };
    let mut flipped = signature.to_owned();
    flipped.replace_range(..1, if signature.starts_with('A') { "B" } else { "A" });
    let no_token = "it is no token that is signed";
    let not_its_key = "the token's algorithm is not that of its key";
    let not_signed = "the signature is not that of the token";
    let no_key = "the issuer has no such key";
    let unclear = "the token cannot be understood";
    let table: Vec<(&str, String, &str)> = vec![
        ("no signature at all", unsigned("none"), no_token),
        ("none in other letters", unsigned("nOnE"), no_token),
        (
            "a known algorithm and no signature",
            unsigned("EdDSA"),
            not_signed,
        ),
        (
            "HMAC with the public key, as text",
            symmetric(public.as_bytes()),
            not_its_key,
        ),
        (
            "HMAC with the published key",
            symmetric(rsa.jwk.to_string().as_bytes()),
            not_its_key,
        ),
        ("HMAC with nothing", symmetric(b""), not_its_key),
        (
            "another kind of key",
            header(json!({"alg": "EdDSA", "kid": "rsa"})),
            not_its_key,
        ),
        (
            "another algorithm of its kind",
            rsa.token_with(&json!({"alg": "RS512", "kid": "rsa"}), &claims),
            not_its_key,
        ),
        (
            "another padding",
            rsa.token_with(&json!({"alg": "PS256", "kid": "rsa"}), &claims),
            not_its_key,
        ),
        (
            "another's key id",
            header(json!({"alg": "ES256", "kid": "ec"})),
            not_signed,
        ),
        ("a key that nobody knows", attacker.token(&claims), no_key),
        (
            "a key id that is a path",
            header(json!({"alg": "EdDSA", "kid": "../../dev/null"})),
            no_key,
        ),
        (
            "an empty key id",
            header(json!({"alg": "EdDSA", "kid": ""})),
            no_key,
        ),
        (
            "a key id that is no text",
            header(json!({"alg": "EdDSA", "kid": 1})),
            no_token,
        ),
        (
            "its own key along",
            attacker.token_with(
                &json!({"alg": "ES256", "kid": "ec", "jwk": attacker.jwk}),
                &claims,
            ),
            not_signed,
        ),
        (
            "where to fetch its key",
            attacker.token_with(
                &json!({"alg": "ES256", "kid": "ec", "jku": "http://attacker.example/keys"}),
                &claims,
            ),
            not_signed,
        ),
        (
            "something critical",
            header(json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false})),
            "the token has extensions that are not known",
        ),
        (
            "the signature cut off",
            format!("{head}.{body}."),
            not_signed,
        ),
        ("the signature gone", format!("{head}.{body}"), no_token),
        (
            "a signature that was changed",
            format!("{head}.{body}.{flipped}"),
            not_signed,
        ),
        (
            "claims that were changed",
            format!(
                "{head}.{}.{signature}",
                base64(with(&claims, json!({"sub": "bob"})).to_string())
            ),
            not_signed,
        ),
        ("a signature of zeros", zeros, not_signed),
        (
            "a signature that is no base64",
            format!("{head}.{body}.!!!"),
            unclear,
        ),
        ("claims that are no JSON", raw("{"), not_signed),
        ("five parts", format!("{good}.a.b"), no_token),
        ("dots", "..".into(), no_token),
        (
            "something else",
            "dk_0123456789abcdef0123456789abcdef".into(),
            no_token,
        ),
        (
            "expired",
            changed(json!({"exp": now() - 120})),
            "the token has expired",
        ),
        (
            "without an end",
            changed(json!({"exp": null})),
            "the token has no claim exp",
        ),
        (
            "an end that is text",
            changed(json!({"exp": "9999999999"})),
            "the token has no claim exp",
        ),
        (
            "an end before all time",
            changed(json!({"exp": -1})),
            "the token has",
        ),
        (
            "not valid yet",
            changed(json!({"nbf": now() + 120})),
            "the token is not valid yet",
        ),
        (
            "a beginning that is text",
            changed(json!({"nbf": "soon"})),
            unclear,
        ),
        (
            "another issuer",
            changed(json!({"iss": "http://attacker.example"})),
            "the token is of another issuer",
        ),
        (
            "nearly the issuer",
            changed(json!({"iss": format!("{}/", issuer.url())})),
            "the token is of another issuer",
        ),
        (
            "without an issuer",
            changed(json!({"iss": null})),
            "the token has no claim iss",
        ),
        (
            "another audience",
            changed(json!({"aud": "other"})),
            "the token is for another audience",
        ),
        (
            "other audiences",
            changed(json!({"aud": ["other", "docket2"]})),
            "the token is for another audience",
        ),
        (
            "nearly the audience",
            changed(json!({"aud": "Docket"})),
            "the token is for another audience",
        ),
        (
            "without an audience",
            changed(json!({"aud": null})),
            "the token has no claim aud",
        ),
        (
            "without a subject",
            changed(json!({"sub": null})),
            "the token has no claim sub",
        ),
        (
            "a subject that is no text",
            changed(json!({"sub": {"a": 1}})),
            "the token",
        ),
        (
            "scopes that are no text",
            changed(json!({"scope": 1})),
            unclear,
        ),
        (
            "very long",
            format!("{}.{body}.{signature}", "a".repeat(20_000)),
            "the token is longer than 16384 characters",
        ),
    ];
    for (what, token, reason) in table {
        let answer = read(&router, &token).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{what}: {answer:?}"
        );
        let problem = answer.json();
        assert_eq!(
            problem["type"], "urn:docket:problem:token-refused",
            "{what}"
        );
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(reason), "{what}: {detail}");
        let challenge = answer.headers[header::WWW_AUTHENTICATE]
            .to_str()
            .expect("ASCII");
        assert!(
            challenge.starts_with(
                "Bearer realm=\"docket\", error=\"invalid_token\", error_description=\""
            ),
            "{what}: {challenge}"
        );
    }
    assert_eq!(read(&router, &good).await.status, LET_IN);
}

#[tokio::test]
async fn without_a_token_the_scheme_is_asked_for_and_a_key_is_no_token() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let (router, _tenancy) = router(&issuer).await;
    for authorization in [None, Some("Basic Zm9vOmJhcg=="), Some("Bearer")] {
        let answer = ask(&router, Method::GET, "documents", authorization).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.headers[header::WWW_AUTHENTICATE],
            "Bearer realm=\"docket\""
        );
        assert_eq!(answer.json()["type"], "urn:docket:problem:token-missing");
    }
    let answer = crate::support::requests::get(&router, "globex", "documents").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "X-API-Key");
}

#[tokio::test]
async fn a_token_opens_the_clients_that_it_names_and_no_other() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let (router, _tenancy) = router(&issuer).await;
    for value in [
        json!("initech"),
        json!(["initech"]),
        json!("*"),
        json!(""),
        json!(null),
    ] {
        let token = key.token(&with(&issuer.claims(), json!({"client_id": value})));
        let answer = read(&router, &token).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{value}");
        assert_eq!(answer.json()["type"], "urn:docket:problem:client-refused");
    }
    // A client that does not exist looks the same.
    let token = key.token(&with(&issuer.claims(), json!({"client_id": "nobody"})));
    let request = Request::get("/clients/nobody/documents")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = send(&router, request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["type"], "urn:docket:problem:client-refused");
}

#[tokio::test]
async fn a_token_does_what_its_scopes_allow_and_is_told_which_it_lacks() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let (router, _tenancy) = router(&issuer).await;
    for (scope, may_read, may_write) in [
        ("documents:read", true, false),
        ("documents:write", false, true),
        ("openid documents:write documents:read", true, true),
        ("documents:admin", false, false),
        ("documents:readx", false, false),
        ("DOCUMENTS:READ", false, false),
        ("", false, false),
    ] {
        let token = key.token(&with(&issuer.claims(), json!({"scope": scope})));
        let (reading, writing) = (read(&router, &token).await, write(&router, &token).await);
        let lets_in = [LET_IN, StatusCode::UNSUPPORTED_MEDIA_TYPE];
        for (answer, may, let_in, lacks) in [
            (reading, may_read, lets_in[0], "documents:read"),
            (writing, may_write, lets_in[1], "documents:write"),
        ] {
            if may {
                assert_eq!(answer.status, let_in, "{scope:?} {answer:?}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{scope:?} {answer:?}");
            assert_eq!(
                answer.json()["type"],
                "urn:docket:problem:insufficient-scope"
            );
            assert_eq!(
                answer.headers[header::WWW_AUTHENTICATE]
                    .to_str()
                    .expect("ASCII"),
                format!("Bearer realm=\"docket\", error=\"insufficient_scope\", scope=\"{lacks}\"")
            );
        }
    }
}

#[tokio::test]
async fn before_the_keys_are_here_it_is_503_and_not_ready_and_then_it_serves() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    issuer.goes_away(true);
    let tenancy = tenancy(&issuer.url());
    let router = docket_api_server::public_router(tenancy.app_with(&[COOLDOWN]));
    eventually("the issuer was asked", async || issuer.asked() > 0).await;
    let token = key.token(&issuer.claims());
    let answer = read(&router, &token).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json()["type"],
        "urn:docket:problem:issuer-unavailable"
    );
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
    let ready = Request::get("/readyz")
        .body(Body::empty())
        .expect("a request");
    let ready = send(&router, ready).await;
    assert!(
        ready
            .text()
            .contains("the issuer's keys have not been fetched"),
        "{ready:?}"
    );
    issuer.goes_away(false);
    eventually("it serves", async || {
        read(&router, &token).await.status == LET_IN
    })
    .await;
}

#[tokio::test]
async fn keys_are_replaced_without_a_restart_and_go_on_working_while_the_issuer_is_away() {
    let (old, new) = (Signer::ed25519("old"), Signer::es256("new"));
    let issuer = Issuer::start(&[&old]).await;
    let (router, _tenancy) = router(&issuer).await;
    let (by_old, by_new) = (old.token(&issuer.claims()), new.token(&issuer.claims()));
    assert_eq!(read(&router, &by_old).await.status, LET_IN);
    issuer.publish(&[&old, &new]);
    eventually("the new key is known", async || {
        read(&router, &by_new).await.status == LET_IN
    })
    .await;
    issuer.goes_away(true);
    let asked = issuer.asked();
    eventually("the issuer was asked while it was away", async || {
        let unknown = Signer::ed25519("unknown").token(&issuer.claims());
        assert_eq!(
            read(&router, &unknown).await.status,
            StatusCode::UNAUTHORIZED
        );
        issuer.asked() > asked
    })
    .await;
    for token in [&by_old, &by_new] {
        assert_eq!(read(&router, token).await.status, LET_IN);
    }
    issuer.publish(&[&new]);
    issuer.goes_away(false);
    eventually("the old key is gone", async || {
        let unknown = Signer::ed25519("unknown").token(&issuer.claims());
        read(&router, &unknown).await;
        read(&router, &by_old).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    assert_eq!(read(&router, &by_new).await.status, LET_IN);
}

#[tokio::test]
async fn an_issuer_that_withdraws_all_its_keys_is_obeyed_at_the_next_fetch() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let tenancy = tenancy(&issuer.url());
    let router =
        docket_api_server::public_router(tenancy.app_with(&[COOLDOWN, "--jwks-refresh=300ms"]));
    let token = key.token(&issuer.claims());
    eventually("it serves", async || {
        read(&router, &token).await.status == LET_IN
    })
    .await;
    issuer.publish(&[]);
    eventually("no token is accepted", async || {
        read(&router, &token).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    let answer = read(&router, &token).await;
    assert!(
        answer.text().contains("the issuer has no such key"),
        "{answer:?}"
    );
    issuer.publish(&[&key]);
    eventually("it serves again", async || {
        read(&router, &token).await.status == LET_IN
    })
    .await;
}

#[tokio::test]
async fn keys_of_an_issuer_that_is_away_for_too_long_are_not_believed_and_no_pod_goes_for_that() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let tenancy = tenancy(&issuer.url());
    let flags = [COOLDOWN, "--jwks-refresh=300ms", "--jwks-max-age=2s"];
    let router = docket_api_server::public_router(tenancy.app_with(&flags));
    let token = key.token(&issuer.claims());
    eventually("it serves", async || {
        read(&router, &token).await.status == LET_IN
    })
    .await;
    issuer.goes_away(true);
    eventually("nobody knows any more", async || {
        read(&router, &token).await.status == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let request = Request::get("/readyz").body(Body::empty());
    let ready = send(&router, request.expect("a request")).await;
    assert!(!ready.text().contains("keys"), "{ready:?}");
    issuer.goes_away(false);
    eventually("it serves again", async || {
        read(&router, &token).await.status == LET_IN
    })
    .await;
}

#[tokio::test]
async fn tokens_with_unknown_keys_do_not_hammer_the_issuer() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let tenancy = tenancy(&issuer.url());
    let app = tenancy.app_with(&["--jwks-cooldown=1m"]);
    let router = docket_api_server::public_router(app);
    let token = key.token(&issuer.claims());
    eventually("it serves", async || {
        read(&router, &token).await.status == LET_IN
    })
    .await;
    let attacker = Signer::ed25519("attacker").token(&issuer.claims());
    for _ in 0..50 {
        assert_eq!(
            read(&router, &attacker).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    // The same server under another name.
    let other = issuer.url().replace("127.0.0.1", "localhost");
    let tenancy = tenancy(&other);
    let router = docket_api_server::public_router(tenancy.app_with(&[COOLDOWN]));
    let token = key.token(&with(&issuer.claims(), json!({"iss": other})));
    for _ in 0..5 {
        let answer = read(&router, &token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        tokio::task::yield_now().await;
    }
    assert_eq!(issuer.asked(), 0, "its keys are not even asked for");
}

#[tokio::test]
async fn usage_is_for_readers_and_the_audit_log_for_those_who_watch_over_them() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let (router, _tenancy) = router(&issuer).await;
    for (path, scopes) in [
        ("usage", ["documents:read", "usage:read"]),
        ("audit", ["documents:admin", "audit:read"]),
    ] {
        for sent in [
            "documents:read",
            "documents:write",
            "documents:admin",
            "usage:read",
            "audit:read",
        ] {
            let token = key.token(&with(&issuer.claims(), json!({"scope": sent})));
            let token = format!("Bearer {token}");
            let answer = ask(&router, Method::GET, path, Some(&token)).await;
            let let_in = answer.status == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(let_in, scopes.contains(&sent), "{path} {sent} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_tenant_without_workloads_lets_in_who_may_see_what_they_left() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let mut tenancy = tenancy(&issuer.url());
    tenancy.config["workloads"] = json!({});
    let router = docket_api_server::public_router(tenancy.app_with(&[COOLDOWN]));
    let asked = async |path: &str, scope: &str| {
        let token = key.token(&with(&issuer.claims(), json!({"scope": scope})));
        ask(&router, Method::GET, path, Some(&format!("Bearer {token}"))).await
    };
    for (path, scope, problem) in [
        ("usage", "usage:read", "database-unavailable"),
        ("audit", "audit:read", "database-unavailable"),
        ("audit", "usage:read", "insufficient-scope"),
    ] {
        let problem = format!("urn:docket:problem:{problem}");
        eventually("the keys are known", async || {
            asked(path, scope).await.json()["type"] == problem
        })
        .await;
    }
}

#[tokio::test]
async fn a_legal_hold_is_for_those_who_watch_over_documents() {
    let key = Signer::ed25519("a");
    let issuer = Issuer::start(&[&key]).await;
    let (router, _tenancy) = router(&issuer).await;
    for (scope, patch, lacks) in [
        (
            "documents:write",
            r#"{"legal_hold": true}"#,
            Some("documents:admin"),
        ),
        (
            "documents:admin",
            r#"{"legal_hold": true}"#,
            Some("documents:write"),
        ),
        (
            "documents:write documents:admin",
            r#"{"legal_hold": false}"#,
            None,
        ),
        ("documents:write", r#"{"tags": []}"#, None),
    ] {
        let token = key.token(&with(&issuer.claims(), json!({"scope": scope})));
        let request = Request::patch("/clients/globex/documents/1")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::IF_MATCH, "\"any\"")
            .header(header::CONTENT_TYPE, "application/merge-patch+json");
        let answer = send(&router, request.body(Body::from(patch)).expect("a request")).await;
        let problem = answer.json();
        match lacks {
            Some(scope) => assert_eq!(
                problem["detail"],
                format!("the token lacks the scope {scope}")
            ),
            None => assert_eq!(problem["type"], "urn:docket:problem:database-unavailable"),
        }
    }
}
