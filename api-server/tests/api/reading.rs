//! Reading one document: validators, conditions and parts, against a real Postgres.

use axum::Router;
use docket_api_server::{data_store_router, public_router};
use http::{HeaderName, Method, StatusCode, header};

use crate::support::Answer;
use crate::support::postgres::Postgres;
use crate::support::requests::{ask, ask_with, etag, get, sha256, upload};

const CONTENT: &str = "documents/1/content";

async fn content(router: &Router, headers: &[(HeaderName, &str)]) -> Answer {
    ask_with(router, Method::GET, "globex", CONTENT, headers).await
}

fn header_of(answer: &Answer, name: HeaderName) -> &str {
    answer.headers[name].to_str().expect("ASCII")
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_has_a_strong_validator_that_saves_reading_it_twice() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app();
    let public = public_router(app.clone());
    for name in ["a.txt", "b.txt"] {
        upload(&public, "globex", name, b"same").await;
    }
    for router in [public, data_store_router(app)] {
        let first = get(&router, "globex", "documents/1").await;
        assert_eq!(header_of(&first, header::CONTENT_TYPE), "application/json");
        let etag = header_of(&first, header::ETAG);
        assert!(etag.starts_with('"'), "strong: {etag}");
        let had = [(header::IF_NONE_MATCH, etag)];
        for method in [Method::GET, Method::HEAD] {
            let again = ask_with(&router, method, "globex", "documents/1", &had).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED);
            assert_eq!(header_of(&again, header::ETAG), etag);
            assert!(again.body.is_empty());
        }
        let other = ask_with(&router, Method::GET, "globex", "documents/2", &had).await;
        assert_eq!(other.status, StatusCode::OK, "the same bytes, another name");
        let gone = [(header::IF_MATCH, "\"old\"")];
        let refused = ask_with(&router, Method::GET, "globex", "documents/1", &gone).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(
            header_of(&refused, header::CONTENT_TYPE),
            "application/problem+json"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_read_under_the_conditions_of_rfc_9110() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"0123456789").await;
    let etag = format!("\"{}\"", sha256(b"0123456789"));

    let whole = content(&router, &[]).await;
    assert_eq!(header_of(&whole, header::ETAG), etag);
    assert_eq!(header_of(&whole, header::ACCEPT_RANGES), "bytes");
    for (headers, status, body) in [
        (vec![(header::IF_NONE_MATCH, etag.as_str())], 304, ""),
        (vec![(header::IF_NONE_MATCH, "*")], 304, ""),
        (vec![(header::IF_NONE_MATCH, "\"old\"")], 200, "0123456789"),
        (vec![(header::IF_MATCH, etag.as_str())], 200, "0123456789"),
        (
            vec![(header::IF_MATCH, &etag), (header::RANGE, "bytes=2-4")],
            206,
            "234",
        ),
        (
            vec![(header::IF_RANGE, &etag), (header::RANGE, "bytes=-3")],
            206,
            "789",
        ),
        (
            vec![(header::IF_RANGE, "\"old\""), (header::RANGE, "bytes=-3")],
            200,
            "0123456789",
        ),
        (
            vec![(header::IF_NONE_MATCH, &etag), (header::RANGE, "bytes=99-")],
            304,
            "",
        ),
        (vec![(header::RANGE, "lines=0-1")], 200, "0123456789"),
    ] {
        let answer = content(&router, &headers).await;
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
        assert_eq!(answer.text(), body, "{headers:?}");
        assert_eq!(header_of(&answer, header::ETAG), etag, "{headers:?}");
    }
    for method in [Method::GET, Method::HEAD] {
        let old = [(header::IF_MATCH, "\"old\""), (header::RANGE, "bytes=99-")];
        let answer = ask_with(&router, method, "globex", CONTENT, &old).await;
        assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_says_where_it_belongs_and_one_that_does_not_exist_is_416() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let large: Vec<u8> = (0..9_000_000_u32).map(|i| (i % 251) as u8).collect();
    upload(&router, "globex", "a.bin", &large).await;

    let mut read = Vec::new();
    for range in ["bytes=0-0", "bytes=1-4999999", "bytes=5000000-"] {
        let part = content(&router, &[(header::RANGE, range)]).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
        let at = format!(
            "bytes {}-{}/9000000",
            read.len(),
            read.len() + part.body.len() - 1
        );
        assert_eq!(header_of(&part, header::CONTENT_RANGE), at);
        assert_eq!(
            header_of(&part, header::CONTENT_LENGTH),
            part.body.len().to_string()
        );
        read.extend(part.body);
    }
    assert!(read == large, "what was resumed is the whole");

    let past = content(&router, &[(header::RANGE, "bytes=9000000-")]).await;
    assert_eq!(past.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header_of(&past, header::CONTENT_RANGE), "bytes */9000000");
    assert_eq!(
        header_of(&past, header::CONTENT_TYPE),
        "application/problem+json"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_parts_come_in_one_answer_in_the_order_asked_for() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"0123456789").await;
    let answer = content(&router, &[(header::RANGE, "bytes=7-8,0-1,99-,-1")]).await;
    assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        header_of(&answer, header::CONTENT_LENGTH),
        answer.body.len().to_string()
    );
    assert!(!answer.headers.contains_key(header::CONTENT_RANGE));
    let media_type = header_of(&answer, header::CONTENT_TYPE);
    let boundary = media_type
        .strip_prefix("multipart/byteranges; boundary=")
        .expect("a boundary");
    let head = |at: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {at}/10\r\n\r\n"
        )
    };
    let expected = format!(
        "{}78{}01{}9\r\n--{boundary}--\r\n",
        head("7-8"),
        head("0-1"),
        head("9-9")
    );
    assert_eq!(answer.text(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn head_needs_no_object_and_knows_no_range() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"0123456789").await;
    upload(&router, "globex", "empty.txt", b"").await;
    std::fs::remove_dir_all(tenancy.folder.path().join("content")).expect("removed");

    let range = [(header::RANGE, "bytes=0-1")];
    let head = ask_with(&router, Method::HEAD, "globex", CONTENT, &range).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(header_of(&head, header::CONTENT_LENGTH), "10");
    assert_eq!(header_of(&head, header::ACCEPT_RANGES), "bytes");
    let empty = ask(&router, Method::HEAD, "globex", "documents/2/content").await;
    assert_eq!(header_of(&empty, header::CONTENT_LENGTH), "0");
    let lost = content(&router, &range).await;
    assert_eq!(
        lost.status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "not a part of nothing"
    );
}

/// Also what is refused, and what is not modified.
#[tokio::test(flavor = "multi_thread")]
async fn no_shared_cache_keeps_what_a_client_is_answered() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = docket_api_server::public_router(tenancy.app());
    assert_eq!(upload(&router, "globex", "a.txt", b"one").await.status, 201);
    let seen = etag(&router, "documents/1/content").await;
    let seen = [(header::IF_NONE_MATCH, seen.as_str())];
    let content = "documents/1/content";
    let mut answers = vec![
        (
            304,
            ask_with(&router, Method::GET, "globex", content, &seen).await,
        ),
        (403, ask(&router, Method::GET, "hooli", content).await),
    ];
    for (path, status) in [
        (content, 200),
        ("documents/1", 200),
        ("documents", 200),
        ("documents/9", 404),
        ("usage", 200),
    ] {
        answers.push((status, get(&router, "globex", path).await));
    }
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{answer:?}");
        let headers = &answer.headers;
        assert_eq!(
            headers[header::CACHE_CONTROL],
            "private, no-cache",
            "{status}"
        );
        let vary: Vec<_> = headers.get_all(header::VARY).iter().collect();
        assert_eq!(vary, ["authorization, x-api-key, x-client"], "{status}");
    }
}
