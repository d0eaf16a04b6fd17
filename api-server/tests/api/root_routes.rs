//! Routes without a client in their path: it is the one that the credential opens.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use docket_api_server::public_router;
use docket_contract::hash_api_key;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::issuer::{Issuer, Signer};
use crate::support::{Answer, Tenancy, eventually, marks, send};

fn router(tenancy: &Tenancy) -> Router {
    public_router(marks::app(tenancy, &[]))
}

async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(Request::get(path), |request, (name, value)| {
            request.header(*name, *value)
        });
    send(router, request.body(Body::empty()).expect("a request")).await
}

/// The client that a request was answered for, or the status and the problem.
fn outcome(answer: &Answer) -> String {
    let body = answer.json();
    match answer.status {
        StatusCode::OK => body["client"].as_str().expect("a client").to_owned(),
        status => {
            let problem = body["type"].as_str().expect("a problem");
            let name = problem.rsplit(':').next().expect("a name");
            format!("{} {name}", status.as_u16())
        }
    }
}

#[tokio::test]
async fn the_client_is_the_owner_of_the_key_wherever_the_route_stands() {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = router(&tenancy);
    for client in ["globex", "initech"] {
        let key = format!("{client}-key");
        for place in ["/api/v9", "/p9/api/v9", &format!("/clients/{client}")] {
            let path = format!("{place}/marks/7");
            let answer = get(&router, &path, &[("x-api-key", &key)]).await;
            assert_eq!(outcome(&answer), client, "{place}");
            assert_eq!(answer.json()["id"], 7);
            assert_eq!(answer.json()["uri"], path);
        }
    }
}

#[tokio::test]
async fn by_key_a_named_client_must_be_one_that_the_key_opens() {
    let mut tenancy = Tenancy::without_database("ApiKey");
    let shared = hash_api_key("shared-key").0;
    for client in tenancy.config["clients"].as_array_mut().expect("clients") {
        let hashes = client["apiKeyHashes"].as_array_mut().expect("hashes");
        hashes.extend([json!(shared), json!(shared)]);
    }
    let router = router(&tenancy);
    for (key, client, expected) in [
        (Some("globex-key"), None, "globex"),
        (Some("globex-key"), Some("globex"), "globex"),
        (Some("globex-key"), Some("initech"), "403 api-key-refused"),
        (Some("globex-key"), Some("nobody"), "403 api-key-refused"),
        (Some("globex-key"), Some(""), "403 api-key-refused"),
        (Some("globex-key"), Some("glöbex"), "403 api-key-refused"),
        (Some("wrong-key"), None, "403 api-key-refused"),
        (Some("wrong-key"), Some("globex"), "403 api-key-refused"),
        (Some("shared-key"), None, "400 client-needed"),
        (Some("shared-key"), Some("initech"), "initech"),
        (None, None, "401 api-key-missing"),
        (None, Some("globex"), "401 api-key-missing"),
    ] {
        let headers = [("x-api-key", key), ("x-client", client)];
        let sent = headers
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        let sent: Vec<_> = sent.collect();
        let answer = get(&router, "/api/v9/marks", &sent).await;
        assert_eq!(outcome(&answer), expected, "{key:?} {client:?}");
    }
    let twice = [
        ("x-api-key", "globex-key"),
        ("x-client", "globex"),
        ("x-client", "globex"),
    ];
    let answer = get(&router, "/api/v9/marks", &twice).await;
    assert_eq!(outcome(&answer), "400 bad-request");
}

#[tokio::test]
async fn where_no_proof_is_asked_for_the_client_must_be_named() {
    let tenancy = Tenancy::without_database("None");
    let router = router(&tenancy);
    for (headers, expected) in [
        (&[][..], "400 client-needed"),
        (&[("x-api-key", "globex-key")], "400 client-needed"),
        (&[("x-client", "globex")], "globex"),
        (&[("x-client", "nobody")], "404 not-found"),
    ] {
        let answer = get(&router, "/api/v9/marks", headers).await;
        assert_eq!(outcome(&answer), expected, "{headers:?}");
    }
    let answer = get(&router, "/api/v9/marks", &[]).await;
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("the header X-Client is needed"), "{detail}");
}

/// A tenant of `issuer`, by name of the claim that names the client, once its keys are known.
async fn of_issuer(issuer: &Issuer) -> (Router, Tenancy) {
    let mut tenancy = Tenancy::without_database("Jwt");
    let jwt = json!({"issuer": issuer.url(), "audience": "docket", "clientClaim": "client_id"});
    tenancy.config["auth"]["jwt"] = jwt;
    let router = router(&tenancy);
    let any = [("authorization", "Bearer a.b.c")];
    eventually("the keys are known", async || {
        let answer = get(&router, "/api/v9/marks", &any).await;
        answer.status == StatusCode::UNAUTHORIZED
    })
    .await;
    (router, tenancy)
}

async fn by_token(router: &Router, token: &str, client: Option<&str>) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(client.map(|client| ("x-client", client)));
    get(router, "/api/v9/marks", &headers).await
}

#[tokio::test]
async fn the_client_is_the_one_that_the_token_names_and_of_several_the_one_that_the_header_names() {
    let signer = Signer::ed25519("ed");
    let issuer = Issuer::start(&[&signer]).await;
    let (router, _tenancy) = of_issuer(&issuer).await;
    let both = json!(["globex", "initech"]);
    for (claim, client, expected) in [
        (json!("initech"), None, "initech"),
        (json!(["initech"]), None, "initech"),
        (json!("initech"), Some("initech"), "initech"),
        (json!("initech"), Some("globex"), "403 client-refused"),
        (json!("nobody"), None, "403 client-refused"),
        (json!("nobody"), Some("nobody"), "403 client-refused"),
        (json!([]), None, "403 client-refused"),
        (json!(1), None, "403 client-refused"),
        (both.clone(), None, "400 client-needed"),
        (both.clone(), Some("globex"), "globex"),
        (both.clone(), Some("initech"), "initech"),
        (both, Some("hooli"), "403 client-refused"),
    ] {
        let mut claims = issuer.claims();
        claims["client_id"] = claim.clone();
        claims["scope"] = marks::READ.0.into();
        let answer = by_token(&router, &signer.token(&claims), client).await;
        assert_eq!(outcome(&answer), expected, "{claim} {client:?}");
    }
    let claims = issuer.claims();
    let answer = by_token(&router, &signer.token(&claims), None).await;
    assert_eq!(outcome(&answer), "403 insufficient-scope");
}

#[tokio::test]
async fn a_token_of_a_person_says_who_they_are_and_that_of_a_program_says_nobody() {
    let signer = Signer::ed25519("ed");
    let issuer = Issuer::start(&[&signer]).await;
    let (router, _tenancy) = of_issuer(&issuer).await;
    let alice = json!({"issuer": issuer.url(), "subject": "alice"});
    for (subject, expected) in [("alice", alice), ("globex", Value::Null)] {
        let mut claims = issuer.claims();
        claims["sub"] = subject.into();
        claims["scope"] = marks::READ.0.into();
        let answer = by_token(&router, &signer.token(&claims), None).await;
        assert_eq!(answer.json()["user"], expected, "{}", answer.text());
        assert_eq!(answer.json()["actor"], format!("sub:{subject}"));
    }
    let tenancy = Tenancy::without_database("ApiKey");
    let by_key = [("x-api-key", "globex-key")];
    let answer = get(&self::router(&tenancy), "/api/v9/marks", &by_key).await;
    assert_eq!(answer.json()["user"], Value::Null);
}

#[tokio::test]
async fn a_route_at_the_root_draws_on_the_clients_one_share() {
    let mut tenancy = Tenancy::without_database("ApiKey");
    tenancy.config["rateLimit"] = json!({"requestsPerSecond": 1, "burst": 2});
    let router = router(&tenancy);
    let key = [("x-api-key", "globex-key")];
    for (path, status) in [
        ("/api/v9/marks", StatusCode::OK),
        ("/clients/globex/marks", StatusCode::OK),
        ("/api/v9/marks", StatusCode::TOO_MANY_REQUESTS),
    ] {
        assert_eq!(get(&router, path, &key).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_openapi_document_shows_each_route_in_each_place_under_a_name_of_its_own() {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = router(&tenancy);
    let document = get(&router, "/openapi.json", &[]).await.json();
    let paths = document["paths"].as_object().expect("paths");
    let parameters = |path: &str| {
        let all = paths[path]["get"]["parameters"].as_array();
        let names = all.expect("parameters").iter().map(|it| it["name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(parameters("/clients/{client}/marks/{id}"), ["client", "id"]);
    assert_eq!(parameters("/api/v9/marks/{id}"), ["X-Client", "id"]);
    assert_eq!(parameters("/p9/api/v9/marks"), ["X-Client"]);
    let operations = paths
        .values()
        .flat_map(|item| item.as_object().expect("an item").values());
    let ids: Vec<&str> = operations
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    for id in ["get_mark", "get_mark_at_api_v9", "get_mark_at_p9_api_v9"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "{ids:?}"
    );
    for path in ["/marks", "/api/v9", "/api/v9/usage", "/p9/marks"] {
        let answer = get(&router, path, &[("x-api-key", "globex-key")]).await;
        assert_eq!(outcome(&answer), "404 no-route", "{path}");
    }
    let answer = get(&router, "/api/v9/marks", &[]).await;
    assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
}
