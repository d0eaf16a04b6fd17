//! What is wrong is answered as documented: problem+json (RFC 9457), and the request is named.

use http::Method;

use super::client::Client;
use super::way::{Answer, Ask};
use super::{Seen, passed};

/// A request that is wrong on purpose.
pub(super) struct Wrong {
    pub claim: String,
    ask: Ask,
    status: u16,
}

pub(super) fn all(client: &Client, seed: &str) -> Vec<Wrong> {
    let wrong = |what: &str, status: u16, ask: Ask| Wrong {
        claim: format!("{what} is {status}"),
        ask: ask.with("x-request-id", &format!("{seed}-{status}")),
        status,
    };
    let name = &client.name;
    let mut all = vec![
        wrong(
            "a document that is not there",
            404,
            client.request(Method::GET, "documents/999999999999"),
        ),
        wrong(
            "a parameter that makes no sense",
            400,
            client.request(Method::GET, "documents?limit=1000"),
        ),
        wrong(
            "a method that is not served",
            405,
            client.request(Method::POST, "upload-document"),
        ),
        wrong(
            "an upload that is no multipart",
            415,
            client.request(Method::PUT, "upload-document"),
        ),
        wrong(
            "a path that is not served",
            404,
            Ask::get("/nothing-is-here"),
        ),
    ];
    if client.key.is_some() {
        let path = format!("/clients/{name}/documents");
        let key = "not-the-key-of-anybody-0123456789";
        all.push(wrong("a request without a key", 401, Ask::get(&path)));
        all.push(wrong(
            "a request with a wrong key",
            403,
            Ask::get(&path).with("x-api-key", key),
        ));
    }
    all
}

pub(super) async fn answered(client: &Client, wrong: Wrong) -> Seen {
    let request = wrong.ask.headers.get("x-request-id").cloned();
    let answer = client.way.ask(wrong.ask).await?;
    let problem = answer.json();
    let why = if answer.status != wrong.status {
        format!("it is {}", answer.status)
    } else if answer.header("content-type") != "application/problem+json" {
        format!("its type is {:?}", answer.header("content-type"))
    } else if problem["status"] != wrong.status {
        format!("its status says {}", problem["status"])
    } else if !problem["type"]
        .as_str()
        .is_some_and(|it| it.starts_with("urn:docket:problem:"))
    {
        format!("its problem is {}", problem["type"])
    } else if problem["detail"].as_str().is_none_or(str::is_empty) {
        "it has no detail".to_owned()
    } else if answer.headers.get("x-request-id") != request.as_ref() {
        format!("its X-Request-ID is {:?}", answer.header("x-request-id"))
    } else if problem["trace_id"].as_str() != answer.trace_id() {
        format!(
            "its trace_id {} is not that of its traceparent {:?}",
            problem["trace_id"],
            answer.header("traceparent")
        )
    } else {
        return passed(format!(
            "{}: {}",
            problem["type"].as_str().unwrap_or_default(),
            detail(&answer)
        ));
    };
    Err(format!("{why}: {}", answer.excerpt()))
}

fn detail(answer: &Answer) -> String {
    answer.json()["detail"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// An id that was sent comes back; without one, or with one that cannot be used, there is a new one.
pub(super) async fn correlated(client: &Client) -> Seen {
    let list = || client.request(Method::GET, "documents?limit=1");
    let sent = client
        .way
        .ask(list().with("x-request-id", "my-own.id_7"))
        .await?;
    if sent.header("x-request-id") != "my-own.id_7" {
        return Err(format!(
            "my-own.id_7 was sent, and {:?} answered",
            sent.header("x-request-id")
        ));
    }
    let too_long = "x".repeat(129);
    let mut made = Vec::new();
    for ask in [
        list(),
        list().with("x-request-id", &too_long),
        list().with("x-request-id", "two words"),
    ] {
        let answer = client.way.ask(ask).await?;
        let id = answer.header("x-request-id").to_owned();
        if id.is_empty() || id == too_long || id.contains(' ') || made.contains(&id) {
            return Err(format!("{id:?} is answered where a new id is needed"));
        }
        made.push(id);
    }
    passed("its own id, or a new one")
}
