//! Reading the texts of files in the background, hostile ones included, against a real Postgres.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use docket_api_server::{App, public_router};
use http::StatusCode;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::postgres::Postgres;
use crate::support::requests::{get, upload, upload_as};
use crate::support::{Tenancy, eventually};

const SERVER: &str = env!("CARGO_BIN_EXE_docket-api-server");
const PDF: &str = "application/pdf";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// A server that also reads texts, until the guard goes.
fn start(tenancy: &Tenancy) -> (Router, DropGuard) {
    let app: Arc<App> = tenancy.app_with(&["--extractor", SERVER]);
    let stop = CancellationToken::new();
    let (working, stopping) = (app.clone(), stop.clone());
    tokio::spawn(async move { working.work(stopping).await });
    (public_router(app), stop.drop_guard())
}

async fn found(router: &Router, query: &str) -> Vec<Value> {
    let answer = get(router, "globex", &format!("documents?q={query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let documents = answer.json()["documents"]
        .as_array()
        .expect("a list")
        .clone();
    documents
        .into_iter()
        .map(|document| document["filename"].clone())
        .collect()
}

/// The documents whose text is in `state`.
async fn in_state(postgres: &Postgres, tenancy: &Tenancy, state: &str) -> Vec<String> {
    let schema = tenancy.identity("globex").schema;
    let sql = format!(
        "SELECT filename FROM {schema}.document_metadata WHERE text_state = $1 ORDER BY id"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(state)
        .fetch_all(&mut postgres.superuser().await)
        .await
        .expect("names")
}

/// A PDF of one page with these operators, and these further objects from number 6 on.
fn pdf(content: &[u8], filter: &str, resources: &str, more: &[String]) -> Vec<u8> {
    let stream = |dictionary: &str, bytes: &[u8]| {
        let mut object =
            format!("<< {dictionary} /Length {} >>\nstream\n", bytes.len()).into_bytes();
        object.extend_from_slice(bytes);
        object.extend_from_slice(b"\nendstream");
        object
    };
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
             /Resources << /Font << /F1 5 0 R >> {resources} >> >>"
        )
        .into_bytes(),
        stream(filter, content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_vec(),
    ];
    objects.extend(more.iter().map(|object| object.clone().into_bytes()));
    let (mut file, mut offsets) = (b"%PDF-1.4\n".to_vec(), Vec::new());
    for (i, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend_from_slice(format!("{} 0 obj\n", i + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        file.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let trailer = format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.extend_from_slice(trailer.as_bytes());
    file
}

const SENTENCE: &[u8] = b"BT /F1 12 Tf 72 700 Td (The turbine offer of March.) Tj ET";

/// `size` zero bytes and a little more in the format of zlib: fixed codes, copies of 258 bytes (RFC 1951).
fn zeros(size: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.low_first(0b011, 3);
    bits.high_first(0b0011_0000, 8);
    for _ in 0..size / 258 {
        bits.high_first(0b1100_0101, 8);
        bits.high_first(0, 5);
    }
    bits.high_first(0, 7);
    let mut stream = vec![0x78, 0x9c];
    stream.extend(bits.end());
    // The sum at the end is wrong, which nobody who gave up before will see.
    stream.extend_from_slice(&[0; 4]);
    stream
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn bit(&mut self, bit: u8) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= bit << (self.used % 8);
        }
        self.used += 1;
    }

    fn low_first(&mut self, value: u32, width: u32) {
        (0..width).for_each(|i| self.bit(u8::from(value >> i & 1 == 1)));
    }

    fn high_first(&mut self, value: u32, width: u32) {
        (0..width)
            .rev()
            .for_each(|i| self.bit(u8::from(value >> i & 1 == 1)));
    }

    fn end(self) -> Vec<u8> {
        self.bytes
    }
}

fn docx(body: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in [
        ("[Content_Types].xml", "<Types/>"),
        ("word/document.xml", body),
    ] {
        zip.start_file(name, options).expect("a part");
        zip.write_all(content.as_bytes()).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_all_formats_are_found_and_summarized() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let (router, _work) = start(&tenancy);
    let large = format!("{}A turbine at the end.", "Filler goes here. ".repeat(5000));
    let word = "<w:document xmlns:w=\"w\"><w:p><w:r><w:t>A turbine in Word.</w:t></w:r></w:p></w:document>";
    for (name, file_type, content) in [
        ("a.pdf", PDF, pdf(SENTENCE, "", "", &[])),
        ("b.docx", DOCX, docx(word)),
        ("scan.pdf", PDF, pdf(b"0 0 9 9 re f", "", "", &[])),
        (
            "c.html",
            "text/html",
            b"<!DOCTYPE html><p>A <b>turbine</b> page</p>".to_vec(),
        ),
        ("d.txt", "text/plain", large.into_bytes()),
        (
            "turbine.png",
            "image/png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
        ),
    ] {
        let answer = upload_as(&router, "globex", name, file_type, &content).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{name}: {answer:?}");
        assert_eq!(answer.json()["metadata"]["summary"], Value::Null, "{name}");
    }
    let at_once = found(&router, "turbine").await;
    assert!(at_once.contains(&"turbine.png".into()), "{at_once:?}");
    eventually("all texts are read", async || {
        found(&router, "turbine").await.len() == 5
    })
    .await;
    eventually(
        "what has no text is told from what cannot be read",
        async || in_state(&postgres, &tenancy, "NoText").await == ["scan.pdf", "turbine.png"],
    )
    .await;
    let answer = get(&router, "globex", "documents/1").await;
    assert_eq!(answer.json()["summary"], "The turbine offer of March.");
    let snippet = get(&router, "globex", "documents?q=turbine&name=docx").await;
    assert_eq!(
        snippet.json()["documents"][0]["snippet"],
        "A <mark>turbine</mark> in Word"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_file_costs_its_own_text_and_nothing_else() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let (router, _work) = start(&tenancy);
    let bomb = pdf(&zeros(1 << 30), "/Filter /FlateDecode", "", &[]);
    let form = "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> \
                /Length 5 >>\nstream\n/X Do\nendstream";
    let endless = pdf(b"/X Do", "", "/XObject << /X 6 0 R >>", &[form.to_owned()]);
    let unknown = pdf(b"BT /F9 12 Tf (x) Tj ET", "", "", &[]);
    let nested = format!("<w:document>{}", "<w:p>".repeat(500_000));
    let long = format!("<w:document><w:t>{}", "a".repeat(100 << 20));
    let hostile: [(&str, &str, Vec<u8>); 7] = [
        ("bomb.pdf", PDF, bomb),
        ("endless.pdf", PDF, endless),
        ("unknown.pdf", PDF, unknown),
        ("cut.pdf", PDF, b"%PDF-1.4\n1 0 obj\n<<".to_vec()),
        ("brackets.pdf", PDF, pdf(&b"[".repeat(4 << 20), "", "", &[])),
        ("bomb.docx", DOCX, docx(&long)),
        ("nested.docx", DOCX, docx(&nested)),
    ];
    for (name, file_type, content) in &hostile {
        let answer = upload_as(&router, "globex", name, file_type, content).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{name}: {answer:?}");
    }
    let good = pdf(SENTENCE, "", "", &[]);
    upload_as(&router, "globex", "good.pdf", PDF, &good).await;
    eventually("the good one is read", async || {
        found(&router, "turbine").await == ["good.pdf"]
    })
    .await;
    eventually("nothing waits", async || {
        in_state(&postgres, &tenancy, "Pending").await.is_empty()
    })
    .await;
    let failed = in_state(&postgres, &tenancy, "Failed").await;
    for name in ["bomb.pdf", "endless.pdf", "cut.pdf"] {
        assert!(failed.contains(&name.to_owned()), "{name}: {failed:?}");
    }
    assert_eq!(
        found(&router, "endless").await,
        ["endless.pdf"],
        "found by its name"
    );
    let small = upload(&router, "globex", "after.txt", b"turbine").await;
    assert_eq!(small.status, StatusCode::CREATED);
}

fn eventually_in(file: &str, line: &str) {
    let begin = std::time::Instant::now();
    let text = || std::fs::read_to_string(file).expect("a file");
    while !text().lines().any(|one| one == line) {
        assert!(begin.elapsed().as_secs() < 30, "{}", text());
        std::thread::yield_now();
    }
}

#[test]
fn the_process_that_reads_says_which_layers_confine_it() {
    let output = Command::new(SERVER)
        .args(["extract-text", "confinement", "80000000"])
        .env_clear()
        .stdin(Stdio::null())
        .output();
    let output = output.expect("an output");
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let layers: Vec<&str> = told.lines().collect();
    let security = std::fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    match security.contains("landlock") {
        true => assert_eq!(layers, ["files", "system-calls"]),
        // Where it cannot be seen, Landlock may be there all the same.
        false => assert_eq!(layers.last(), Some(&"system-calls")),
    }
}

#[test]
fn the_process_that_reads_is_confined_before_it_reads() {
    let mut child = Command::new(SERVER)
        .args(["extract-text", "html", "80000000"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut stdin = child.stdin.take().expect("its input");
    let proc = format!("/proc/{}", child.id());
    let path = format!("{proc}/limits");
    let limits = || {
        let text = std::fs::read_to_string(&path).expect("limits");
        let limit = |name: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(name))
                .expect("a limit");
            line[name.len()..]
                .split_whitespace()
                .next()
                .map(str::to_owned)
        };
        [
            "Max data size",
            "Max cpu time",
            "Max file size",
            "Max open files",
            "Max processes",
        ]
        .map(|name| limit(name).expect("a value"))
    };
    let expected = ["80000000", "20", "0", "4", "0"];
    let begin = std::time::Instant::now();
    while limits() != expected {
        assert!(begin.elapsed().as_secs() < 30, "{:?}", limits());
        std::thread::yield_now();
    }
    let score = std::fs::read_to_string(format!("{proc}/oom_score_adj"));
    assert_eq!(score.expect("a score").trim(), "1000");
    // It has a filter of system calls, and gains no rights by starting anything.
    eventually_in(&format!("{proc}/status"), "Seccomp:\t2");
    eventually_in(&format!("{proc}/status"), "NoNewPrivs:\t1");
    stdin.write_all(b"<p>An offer</p>").expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "An offer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_that_reads_may_take_the_third_of_the_memory_that_is_for_it() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    // One that says what it was told.
    let program = tenancy.folder.path().join("reads");
    std::fs::write(&program, "#!/bin/sh\ncat >/dev/null\necho \"allowed $3\"\n").expect("written");
    let may_run = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&program, may_run).expect("it may run");
    let program = program.to_str().expect("a path");
    let app = tenancy.app_with(&["--extractor", program, "--memory=134217728"]);
    let router = public_router(app.clone());
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let _stop = stop.drop_guard();
    tokio::spawn(async move { app.work(stopping).await });
    upload_as(&router, "globex", "a.pdf", PDF, &pdf(SENTENCE, "", "", &[])).await;
    let third = ((128 - 40) << 20) / 3;
    eventually("its text is what the process said", async || {
        found(&router, &format!("allowed+{third}")).await == ["a.pdf"]
    })
    .await;
}

/// Of all that waits, as whoever was last at it left it.
async fn left(postgres: &Postgres, tenancy: &Tenancy, attempts: i16) {
    let schema = tenancy.identity("globex").schema;
    let sql = format!(
        "UPDATE {schema}.document_metadata SET text_due = now(), text_attempts = $1 \
         WHERE text_state = 'Pending'"
    );
    let left = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(attempts);
    let left = left.execute(&mut postgres.superuser().await).await;
    assert_eq!(left.expect("left").rows_affected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_reading_ended_the_process_three_times_is_given_up() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let quiet = public_router(tenancy.app());
    let good = pdf(SENTENCE, "", "", &[]);
    // Beside as many attempts that came back, which say nothing against the file.
    for (name, attempts) in [("twice.pdf", 207), ("thrice.pdf", 307)] {
        upload_as(&quiet, "globex", name, PDF, &good).await;
        left(&postgres, &tenancy, attempts).await;
        let (_, _work) = start(&tenancy);
        eventually("nothing waits", async || {
            in_state(&postgres, &tenancy, "Pending").await.is_empty()
        })
        .await;
    }
    assert_eq!(found(&quiet, "turbine").await, ["twice.pdf"]);
    assert_eq!(
        in_state(&postgres, &tenancy, "Failed").await,
        ["thrice.pdf"]
    );
    assert_eq!(found(&quiet, "thrice").await, ["thrice.pdf"], "by its name");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_came_back_says_nothing_against_the_file() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let quiet = public_router(tenancy.app());
    let good = pdf(SENTENCE, "", "", &[]);
    upload_as(&quiet, "globex", "a.pdf", PDF, &good).await;
    left(&postgres, &tenancy, 201).await;
    let schema = tenancy.identity("globex").schema;
    let content = tenancy.folder.path().join("content").join(&schema);
    let object = std::fs::read_dir(&content).expect("a folder").next();
    let object = object.expect("an object").expect("an object").path();
    let away = content.with_extension("away");
    std::fs::rename(&object, &away).expect("away");
    let (_, _work) = start(&tenancy);
    let attempts = async || -> i16 {
        let sql = format!("SELECT text_attempts FROM {schema}.document_metadata");
        let attempts = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let attempts = attempts.fetch_one(&mut postgres.superuser().await).await;
        attempts.expect("a count")
    };
    eventually("it came back", async || attempts().await == 2).await;
}
