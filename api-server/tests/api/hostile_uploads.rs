//! Uploads that nobody sends by accident, each with the answer that it gets; after each one the
//! server takes a good one. `docs/hostile-uploads.md` is made of the same rows.

mod bodies;
mod content;
mod names;
mod raw;
mod requests;

use std::path::Path;
use std::time::Duration;

use docket_api_server::server;
use tokio_util::sync::CancellationToken;

use self::raw::{form, put, say};
use crate::support::postgres::Postgres;
use crate::support::{eventually, listeners};

/// Something that is sent over a connection of its own.
struct Row {
    what: &'static str,
    sent: Vec<u8>,
    /// What follows the bytes.
    then: Then,
    /// As [`raw::say`] tells it.
    answer: &'static str,
}

/// What the caller does once it has sent all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Keeps the connection, and waits for an answer.
    Waits,
    /// Closes its side.
    Leaves,
}

fn row(what: &'static str, sent: Vec<u8>, answer: &'static str) -> Row {
    Row {
        what,
        sent,
        then: Then::Waits,
        answer,
    }
}

fn sections() -> [(&'static str, Vec<Row>); 4] {
    [
        ("Names", names::rows()),
        ("Multipart bodies", bodies::rows()),
        ("Content", content::rows()),
        ("Requests", requests::rows()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_upload_gets_its_answer_and_a_good_one_is_taken_after_it() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let listeners = listeners().await;
    let address = listeners.api.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let app = tenancy.app_with(&["--request-timeout=2s", "--idle-timeout=3s"]);
    let grace = Duration::from_secs(5);
    let serving = tokio::spawn(server::serve(app, listeners, stop.clone(), grace));
    let good = put(&[], &form("name=\"file\"; filename=\"good.txt\"", b"good"));
    let mut wrong = Vec::new();
    let mut stored = 0;
    for row in sections().into_iter().flat_map(|(_, rows)| rows) {
        let said = say(address, &row.sent, row.then).await;
        stored += said.matches("201 ").count();
        if said != row.answer {
            wrong.push(format!(
                "{}\n  expected {}\n  got      {said}",
                row.what, row.answer
            ));
        }
        let after = say(address, &good, Then::Waits).await;
        stored += 1;
        assert_eq!(
            after, "201 `good.txt` application/octet-stream",
            "after {}",
            row.what
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eventually("nothing is left of what was refused", async || {
        tenancy.objects() == stored
    })
    .await;
    stop.cancel();
    serving.await.expect("no panic");
}

#[test]
fn the_table_in_the_documents_is_made_of_these_rows() {
    let mut page = String::from(
        "# Hostile uploads\n\n\
         What the API answers to `PUT /clients/{client}/upload-document` as nobody sends it by accident. The\n\
         test `hostile_uploads` sends each row over a connection of its own, and after each one a good upload,\n\
         which is taken. 201 is followed by the name and the type under which the file is stored, an error by\n\
         the last part of its problem's `type`; a bare status is the HTTP layer's own answer, without a body.\n",
    );
    for (section, rows) in sections() {
        page += &format!("\n## {section}\n| sent | answer |\n| --- | --- |\n");
        for row in rows {
            page += &format!("| {} | {} |\n", row.what, row.answer.replace('|', "\\|"));
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hostile-uploads.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&file, &page).expect("written");
    }
    let written = std::fs::read_to_string(file).expect("the page");
    assert_eq!(written, page, "INSTA_UPDATE=always writes it anew");
}

#[test]
fn there_are_at_least_60_rows_and_no_two_are_called_the_same() {
    let mut names: Vec<&str> = sections()
        .iter()
        .flat_map(|(_, rows)| rows.iter().map(|row| row.what))
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 60, "{all}");
}
