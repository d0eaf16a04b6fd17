//! Searching documents against a real Postgres: what is found, in which order, with which snippet.

use axum::Router;
use docket_api_server::public_router;
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::Answer;
use crate::support::postgres::Postgres;
use crate::support::requests::{get, patch, shown, upload};

async fn search(router: &Router, query: &str) -> Answer {
    let answer = get(router, "globex", &format!("documents?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
    answer
}

async fn names(router: &Router, query: &str) -> Vec<Value> {
    shown(&search(router, query).await, "filename")
}

/// A server whose client `globex` has these documents.
async fn serve(postgres: &Postgres, documents: &[(&str, &str)]) -> Router {
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    for (name, text) in documents {
        let answer = upload(&router, "globex", name, text.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    router
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_found_by_name_and_text_whatever_the_form_of_the_word() {
    let postgres = Postgres::start();
    let router = serve(
        &postgres,
        &[
            ("offer_2026.pdf.txt", "Nothing of note."),
            ("letter.txt", "We offered two turbines to bob@example.com."),
            ("Żółw-raport.txt", "The full-text of a report."),
        ],
    )
    .await;
    for (query, expected) in [
        ("q=offer", vec!["offer_2026.pdf.txt", "letter.txt"]),
        ("q=2026", vec!["offer_2026.pdf.txt"]),
        ("q=offer_2026.pdf", vec!["offer_2026.pdf.txt"]),
        ("q=turbine", vec!["letter.txt"]),
        ("q=OFFERING+turbine", vec!["letter.txt"]),
        ("q=bob%40example.com", vec!["letter.txt"]),
        ("q=%C5%BC%C3%93%C5%81W", vec!["Żółw-raport.txt"]),
        ("q=full-text", vec!["Żółw-raport.txt"]),
        ("q=%22text+full%22", vec![]),
        ("q=turbine+or+report", vec!["Żółw-raport.txt", "letter.txt"]),
        ("q=offer+-turbine", vec!["offer_2026.pdf.txt"]),
        ("q=-offer", vec![]),
        ("q=the+-offer", vec![]),
        ("q=report+or+-offer", vec![]),
        ("q=the", vec![]),
        ("q=nowhere", vec![]),
        ("q=turbine+nowhere", vec![]),
    ] {
        assert_eq!(names(&router, query).await, expected, "{query}");
    }
    let other = get(&router, "initech", "documents?q=offer").await;
    assert_eq!(other.text(), r#"{"documents":[],"next":null}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_counts_more_than_a_summary_and_a_summary_more_than_the_rest_of_a_text() {
    let postgres = Postgres::start();
    let filler = |word: &str| {
        let sentence = "The harbour crane lifts every heavy container of the harbour today. ";
        format!(
            "{}Some {word} here. {}",
            sentence.repeat(4),
            sentence.repeat(4)
        )
    };
    let router = serve(
        &postgres,
        &[
            ("turbine.txt", &filler("thing")),
            ("a.txt", "About a turbine."),
            ("b.txt", &filler("turbine")),
        ],
    )
    .await;
    let answer = search(&router, "q=turbine").await;
    assert_eq!(
        shown(&answer, "filename"),
        ["turbine.txt", "a.txt", "b.txt"]
    );
    let ranks = shown(&answer, "rank");
    assert!(
        ranks
            .iter()
            .all(|rank| rank.as_f64().expect("a number") > 0.0)
    );
    let listed = search(&router, "").await;
    assert!(!listed.text().contains("\"rank\"") && !listed.text().contains("\"snippet\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snippet_marks_the_matches_and_is_safe_in_a_page() {
    let postgres = Postgres::start();
    let text = "Ben & Jerry's offers <b>now</b> <script>alert('x')</script> 1 < 2";
    let router = serve(&postgres, &[("a.txt", text), ("offer.txt", "")]).await;
    let answer = search(&router, "q=offer").await;
    assert_eq!(shown(&answer, "filename"), ["offer.txt", "a.txt"]);
    let snippets = shown(&answer, "snippet");
    assert_eq!(snippets[0], Value::Null);
    let snippet = snippets[1].as_str().expect("a snippet");
    let marked = "Ben &amp; Jerry&#39;s <mark>offers</mark>";
    assert!(snippet.contains(marked), "{snippet}");
    let text = snippet.replace("<mark>", "").replace("</mark>", "");
    assert!(!text.contains(['<', '>', '"', '\'']), "{snippet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_page_by_page_and_with_the_filters_of_a_list() {
    let postgres = Postgres::start();
    let names: Vec<String> = (0..7).map(|i| format!("offer_{i}.txt")).collect();
    let documents: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "An offer, the same for all."))
        .collect();
    let router = serve(&postgres, &documents).await;
    let mut seen = Vec::new();
    let mut query = "q=offer&limit=3".to_owned();
    loop {
        let page = search(&router, &query).await;
        seen.extend(shown(&page, "id"));
        // What comes in meanwhile is of another search.
        upload(&router, "globex", "new.txt", b"An offer").await;
        let Some(link) = page.headers.get(header::LINK) else {
            assert_eq!(page.json()["next"], Value::Null);
            break;
        };
        let link = link.to_str().expect("ASCII");
        query = link
            .strip_prefix("</clients/globex/documents?")
            .and_then(|rest| rest.strip_suffix(">; rel=\"next\""))
            .expect("a link")
            .to_owned();
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    let filtered = search(&router, "q=offer&name=_3&type=text/*").await;
    assert_eq!(shown(&filtered, "filename"), ["offer_3.txt"]);
    let tags = json!({"tags": ["signed", "2026"]}).to_string();
    let signed = patch(&router, 5, "*", &tags).await;
    assert_eq!(signed.status, StatusCode::OK, "{signed:?}");
    let tagged = search(&router, "q=offer&tag=signed").await;
    assert_eq!(shown(&tagged, "id"), [5]);
    let none = search(&router, "q=turbine&tag=signed").await;
    assert_eq!(shown(&none, "id"), Vec::<Value>::new());
    let none = search(&router, "q=offer&type=image/*").await;
    assert_eq!(shown(&none, "filename"), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_be_searched_for_is_refused_and_no_other_one_fails() {
    let postgres = Postgres::start();
    let router = serve(&postgres, &[("a.txt", "An offer")]).await;
    for query in ["q=", "q=%22%22", "q=-", "q=a&q=b", "q=a&cursor=ff"] {
        let answer = get(&router, "globex", &format!("documents?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let long = "q=".to_owned() + &"a+".repeat(129);
    let answer = get(&router, "globex", &format!("documents?{long}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for query in [
        "q=a%00b",
        "q=a%27%3B--",
        "q=%5Ca",
        "q=or+or+a",
        "q=a+or",
        "q=--a",
        "q=%22a",
        "q=a%3A*",
        "q=%26%7C%21a",
        "q=%F0%9F%98%80a",
        "q=%EF%B7%BAa",
        "q=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        search(&router, query).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_any_bytes_can_be_uploaded_and_found() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let distinct: String = (0..9000).map(|i| format!("w{i:x} ")).collect();
    let utf16: Vec<u8> = "\u{feff}needle in UTF-16"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, content) in [
        ("one_word.txt", "x".repeat(64 * 1024).into_bytes()),
        ("distinct.txt", format!("{distinct}needle").into_bytes()),
        ("latin.txt", b"caf\xe9 needle \x1b \x7f".to_vec()),
        ("utf16.txt", utf16),
        (
            "hyphens.txt",
            format!("{}needle", "a-b/c.d@e ".repeat(6000)).into_bytes(),
        ),
    ] {
        let answer = upload(&router, "globex", name, &content).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{name}: {answer:?}");
    }
    let mut found = names(&router, "q=needle").await;
    found.sort_by_key(ToString::to_string);
    assert_eq!(
        found,
        ["distinct.txt", "hyphens.txt", "latin.txt", "utf16.txt"]
    );
}
