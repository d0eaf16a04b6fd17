//! What was promised, against what is there.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use docket_contract::OWNER_OBJECT;
use futures::StreamExt as _;
use object_store::ObjectStore as _;
use object_store::path::Path;
use sqlx::{AssertSqlSafe, Row as _};

use crate::stack::Stack;
use crate::support::CLIENTS;
use crate::support::requests::sha256;

/// An upload that was answered with 201.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub client: &'static str,
    pub id: i64,
    pub filename: String,
    pub size: u64,
    pub sha256: String,
}

/// What the clients wrote down.
#[derive(Default)]
pub struct Ledger {
    acknowledged: Mutex<Vec<Acknowledged>>,
    wrong: Mutex<Vec<String>>,
}

impl Ledger {
    pub fn add(&self, it: Acknowledged) {
        self.acknowledged.lock().expect("a lock").push(it);
    }

    /// An answer that a client should never get.
    pub fn wrong(&self, what: String) {
        self.wrong.lock().expect("a lock").push(what);
    }

    pub fn all(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().expect("a lock").clone()
    }

    pub fn nothing_was_wrong(&self) {
        let wrong = self.wrong.lock().expect("a lock");
        assert!(
            wrong.is_empty(),
            "{} wrong answers: {wrong:#?}",
            wrong.len()
        );
    }
}

/// A row of `document_metadata`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub filename: String,
    pub size: u64,
    pub sha256: String,
    pub content_key: String,
}

/// What one client has: its rows by id, and the sizes of its objects by key.
pub struct Holding {
    pub rows: HashMap<i64, Stored>,
    pub objects: HashMap<String, u64>,
    /// Documents and bytes: as they are counted, and as they are.
    usage: [(i64, i64); 2],
}

impl Holding {
    /// The rows first: an object comes before its row, so none of them may lack it.
    pub async fn of(stack: &Stack, client: &str) -> Self {
        let schema = stack.tenancy.identity(client).schema;
        let mut connection = stack.postgres.superuser().await;
        let query = format!(
            "SELECT id, filename, file_size, encode(sha256, 'hex') AS sha256, \
             content_key::text FROM {schema}.document_metadata"
        );
        // One statement sees one moment, whatever the clients do meanwhile.
        let usage = format!(
            "SELECT sum(amount) FILTER (WHERE counter = 'documents')::bigint AS counted, \
             sum(amount) FILTER (WHERE counter = 'bytes')::bigint AS counted_bytes, \
             (SELECT count(*) FROM {schema}.document_metadata) AS documents, \
             (SELECT coalesce(sum(file_size), 0)::bigint FROM {schema}.document_metadata) AS bytes \
             FROM {schema}.usage"
        );
        let usage = sqlx::query(AssertSqlSafe(usage))
            .fetch_one(&mut connection)
            .await
            .expect("usage");
        let usage = [("counted", "counted_bytes"), ("documents", "bytes")]
            .map(|(documents, bytes)| (usage.get(documents), usage.get(bytes)));
        let rows = sqlx::query(AssertSqlSafe(query))
            .fetch_all(&mut connection)
            .await
            .expect("rows");
        let rows = rows.iter().map(|row| {
            let stored = Stored {
                filename: row.get("filename"),
                size: row.get::<i64, _>("file_size").cast_unsigned(),
                sha256: row.get("sha256"),
                content_key: row.get("content_key"),
            };
            (row.get("id"), stored)
        });
        let rows = rows.collect();
        let bucket = stack.bucket();
        let prefix = Path::from(schema);
        let mut list = bucket.list(Some(&prefix));
        let mut objects = HashMap::new();
        while let Some(object) = list.next().await {
            let object = object.expect("an object");
            let key = object.location.filename().expect("a key").to_owned();
            if key != OWNER_OBJECT {
                objects.insert(key, object.size);
            }
        }
        Self {
            rows,
            objects,
            usage,
        }
    }

    /// No metadata without content.
    pub fn every_row_has_its_object(&self) {
        for (id, row) in &self.rows {
            let size = self.objects.get(&row.content_key);
            assert_eq!(size, Some(&row.size), "content of document {id}: {row:?}");
        }
    }

    /// What counts against the quota is what is there.
    pub fn usage_is_right(&self) {
        let [counted, actual] = self.usage;
        assert_eq!(counted, actual, "documents and bytes, counted and actual");
    }

    /// Content that no row names.
    pub fn orphans(&self) -> usize {
        let named: HashSet<&str> = self.rows.values().map(|row| &*row.content_key).collect();
        let keys = self.objects.keys();
        keys.filter(|key| !named.contains(key.as_str())).count()
    }
}

/// All that must hold whenever the parts work: every promise is kept in Postgres, no row lacks its
/// object, and usage is right. Of `read`, the bytes are compared as well.
pub async fn check(
    stack: &Stack,
    promised: &[Acknowledged],
    read: &[Acknowledged],
) -> Vec<Holding> {
    let mut holdings = Vec::new();
    for client in CLIENTS {
        let holding = Holding::of(stack, client).await;
        for it in promised.iter().filter(|it| it.client == client) {
            let row = holding.rows.get(&it.id);
            let row = row.unwrap_or_else(|| panic!("promised and not there: {it:?}"));
            let (name, size, hash) = (&row.filename, row.size, &row.sha256);
            assert_eq!((name, size, hash), (&it.filename, it.size, &it.sha256));
        }
        holding.every_row_has_its_object();
        holding.usage_is_right();
        holdings.push(holding);
    }
    futures::stream::iter(read)
        .for_each_concurrent(4, |it| same_bytes(stack, it))
        .await;
    holdings
}

/// Reads a document as its client does. The clients go on meanwhile, so a full pool is no failure.
async fn same_bytes(stack: &Stack, it: &Acknowledged) {
    let url = format!(
        "http://{}/clients/{}/documents/{}/content",
        stack.address, it.client, it.id
    );
    let key = format!("{}-key", it.client);
    for _ in 0..100 {
        let request = stack.http.get(&url).header("x-api-key", &key);
        let answer = request.send().await;
        let answer = answer.expect("an answer");
        if answer.status() == 503 {
            continue;
        }
        assert_eq!(answer.status(), 200, "{it:?}");
        let content = answer.bytes().await.expect("the whole content");
        assert_eq!(content.len() as u64, it.size, "{it:?}");
        assert_eq!(sha256(&content), it.sha256, "{it:?}");
        return;
    }
    panic!("never readable: {it:?}");
}
