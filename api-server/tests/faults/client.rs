//! A client that uploads as a sane one would: it goes on asking with the same key until it has an
//! answer, and writes down what was promised to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::ledger::{Acknowledged, Ledger};
use crate::stack::Stack;
use crate::support::requests::sha256;
use crate::support::{CLIENTS, Tenancy};

/// Longest that one attempt may take; the server's own deadlines are shorter.
const PATIENCE: Duration = Duration::from_secs(30);

/// One of the uploads, made of the run's seed and its number.
pub struct Document {
    pub number: u64,
    pub client: &'static str,
    pub filename: String,
    pub content: Vec<u8>,
    pub by_data_store: bool,
    /// Without a key an attempt whose answer was lost may be stored, too.
    pub with_key: bool,
}

/// Begins the names of documents that may be stored more than once.
pub const WITHOUT_KEY: &str = "without-key-";

impl Document {
    /// Mostly small; one in 30 is so large that it goes to S3 in parts.
    pub fn of(seed: u64, number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let size = match random.random_range(0..30) {
            0 => 0,
            1..20 => random.random_range(1..4 * 1024),
            20..26 => random.random_range(4 * 1024..256 * 1024),
            26..29 => random.random_range(256 * 1024..2 * 1024 * 1024),
            _ => random.random_range(8 * 1024 * 1024..11 * 1024 * 1024),
        };
        let mut block = [0; 1021];
        random.fill_bytes(&mut block);
        let content = block.iter().copied().cycle().take(size).collect();
        let client = CLIENTS[random.random_range(0..CLIENTS.len())];
        let by_data_store = random.random_range(0..8) == 0;
        let with_key = by_data_store || random.random_range(0..3) > 0;
        Self {
            number,
            client,
            filename: match with_key {
                true => format!("{number}.bin"),
                false => format!("{WITHOUT_KEY}{number}.bin"),
            },
            content,
            by_data_store,
            with_key,
        }
    }
}

/// Where the clients send their documents, and what they saw.
pub struct Clients {
    seed: u64,
    address: SocketAddr,
    data_store: SocketAddr,
    bucket: AmazonS3,
    schemas: [String; 2],
    /// A permit an upload that may begin.
    pub released: Semaphore,
    pub begun: AtomicU64,
    pub retries: AtomicU64,
    pub ledger: Ledger,
}

impl Clients {
    pub fn of(stack: &Stack, seed: u64) -> Arc<Self> {
        let schema = |client| Tenancy::identity(&stack.tenancy, client).schema;
        Arc::new(Self {
            seed,
            address: stack.address,
            data_store: stack.data_store,
            bucket: stack.bucket(),
            schemas: CLIENTS.map(schema),
            released: Semaphore::new(0),
            begun: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            ledger: Ledger::default(),
        })
    }

    /// Uploads document after document, as they are released, until no more will be.
    pub async fn work(self: Arc<Self>) {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let http = http.build().expect("a client");
        while let Ok(permit) = self.released.acquire().await {
            permit.forget();
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            let document = Document::of(self.seed, number);
            match document.by_data_store {
                true => self.register(&http, &document).await,
                false => self.upload(&http, &document).await,
            }
        }
    }

    /// `PUT …/upload-document`.
    async fn upload(&self, http: &reqwest::Client, document: &Document) {
        let key = Uuid::new_v4().to_string();
        loop {
            let part = Part::bytes(document.content.clone()).file_name(document.filename.clone());
            let url = format!(
                "http://{}/clients/{}/upload-document",
                self.address, document.client
            );
            let mut request = http
                .put(url)
                .header("x-api-key", format!("{}-key", document.client))
                .multipart(Form::new().part("file", part));
            if document.with_key {
                request = request.header("idempotency-key", format!("\"{key}\""));
            }
            let answer = request.send().await;
            if let Some(body) = self.understand(document, answer).await {
                return self.acknowledge(document, &body["metadata"]);
            }
            self.pause().await;
        }
    }

    /// The content into the bucket, then `POST …/documents` of the data store.
    async fn register(&self, http: &reqwest::Client, document: &Document) {
        let key = Uuid::new_v4();
        let which = CLIENTS.iter().position(|it| *it == document.client);
        let schema = &self.schemas[which.expect("a client")];
        let path = Path::from(format!("{schema}/{key}"));
        let payload = PutPayload::from(document.content.clone());
        while self.bucket.put(&path, payload.clone()).await.is_err() {
            self.pause().await;
        }
        loop {
            let url = format!(
                "http://{}/clients/{}/documents",
                self.data_store, document.client
            );
            let body = json!({
                "filename": document.filename,
                "file_size": document.content.len(),
                "file_type": "application/octet-stream",
                "content_key": key.to_string(),
                "sha256": sha256(&document.content),
            });
            let answer = http
                .post(url)
                .header("x-api-key", format!("{}-key", document.client))
                .json(&body)
                .send()
                .await;
            // The answer to an attempt before was lost: it is stored, and was never promised.
            if matches!(&answer, Ok(answer) if answer.status() == StatusCode::UNPROCESSABLE_ENTITY)
            {
                return;
            }
            if let Some(body) = self.understand(document, answer).await {
                return self.acknowledge(document, &body);
            }
            self.pause().await;
        }
    }

    /// The body of a 201; `None` where the client should ask again.
    async fn understand(
        &self,
        document: &Document,
        answer: reqwest::Result<reqwest::Response>,
    ) -> Option<Value> {
        let answer = answer.ok()?;
        let status = answer.status();
        match status {
            // A part of an answer is none.
            StatusCode::CREATED => answer.json().await.ok(),
            StatusCode::SERVICE_UNAVAILABLE => {
                if !answer.headers().contains_key("retry-after") {
                    self.ledger.wrong("a 503 without Retry-After".into());
                }
                None
            }
            // The attempt before is still under way, or was until its server died: then the key is free
            // again after half a minute.
            StatusCode::CONFLICT => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                None
            }
            _ => {
                let body = answer.text().await.unwrap_or_default();
                let what = format!("{} was answered with {status}: {body}", document.number);
                self.ledger.wrong(what);
                None
            }
        }
    }

    fn acknowledge(&self, document: &Document, metadata: &Value) {
        self.ledger.add(Acknowledged {
            client: document.client,
            id: metadata["id"].as_i64().expect("an id"),
            filename: document.filename.clone(),
            size: document.content.len() as u64,
            sha256: sha256(&document.content),
        });
    }

    async fn pause(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        let wait = rand::rng().random_range(20..200);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}
