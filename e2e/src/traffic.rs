//! Callers of a document API that store, read and list all the time, and never ask twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::documents::Documents;
use crate::wait::until;

/// Time that a caller lets pass between two requests.
const PAUSE: Duration = Duration::from_millis(10);

/// Callers at work; half of them keep their connection, half make one for each request.
pub struct Traffic {
    stopped: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<Vec<String>>>,
}

impl Traffic {
    /// Starts one caller for each of `callers`, which share no connection.
    #[must_use]
    pub fn start(callers: Vec<Documents>) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let start = |(number, documents)| {
            let caller = Caller {
                documents,
                keeps_connection: number % 2 == 0,
                stopped: stopped.clone(),
                answered: answered.clone(),
            };
            tokio::spawn(caller.work(number))
        };
        Self {
            callers: callers.into_iter().enumerate().map(start).collect(),
            stopped,
            answered,
        }
    }

    /// Waits until `more` requests have been answered from now on.
    ///
    /// # Errors
    /// They are not.
    pub async fn flows(&self, more: usize) -> Result<()> {
        let before = self.answered.load(Ordering::Relaxed);
        until("traffic", async || {
            let now = self.answered.load(Ordering::Relaxed);
            let flows = now >= before + more;
            Ok(flows.then_some(()).ok_or_else(|| format!("{now} answers")))
        })
        .await
    }

    /// Ends it; the number of requests that were answered as they should.
    ///
    /// # Errors
    /// Some were not; the error says which.
    pub async fn all_went_well(self) -> Result<usize> {
        self.stopped.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for caller in self.callers {
            failures.extend(caller.await?);
        }
        let answered = self.answered.load(Ordering::Relaxed);
        ensure!(
            failures.is_empty(),
            "{} requests failed, {answered} did not: {failures:#?}",
            failures.len()
        );
        Ok(answered)
    }
}

struct Caller {
    documents: Documents,
    keeps_connection: bool,
    stopped: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Caller {
    async fn work(self, number: usize) -> Vec<String> {
        let mut failures = Vec::new();
        let mut turn = 0;
        while !self.stopped.load(Ordering::Relaxed) {
            turn += 1;
            if let Err(error) = self.store_read_and_list(number, turn).await {
                failures.push(format!("caller {number}: {error:#}"));
            }
        }
        failures
    }

    async fn store_read_and_list(&self, number: usize, turn: usize) -> Result<()> {
        let content = format!("document {turn} of caller {number}\n").repeat(200);
        let part = Part::bytes(content.clone().into_bytes()).file_name("traffic.txt");
        let form = Form::new().part("file", part);
        let upload = self.request(Method::PUT, "upload-document").multipart(form);
        let stored: Value = serde_json::from_slice(&self.send("an upload", upload).await?)?;
        let id = stored["document_id"].as_i64().context("no document_id")?;
        let path = format!("documents/{id}");
        self.send("metadata", self.request(Method::GET, &path))
            .await?;
        let read = self.request(Method::GET, &format!("{path}/content"));
        ensure!(self.send("content", read).await? == content.as_bytes());
        let list = self.request(Method::GET, "documents?limit=10");
        self.send("a list", list).await?;
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.documents.request(method, path);
        match self.keeps_connection {
            true => request,
            false => request.header("connection", "close"),
        }
    }

    async fn send(&self, what: &str, request: RequestBuilder) -> Result<Vec<u8>> {
        tokio::time::sleep(PAUSE).await;
        let answer = request.send().await.context(what.to_owned())?;
        let status = answer.status();
        let body = answer.bytes().await.context(what.to_owned())?;
        let text = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "{what}: {status}: {text}");
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(body.to_vec())
    }
}
