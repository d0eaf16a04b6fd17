//! What workloads tell one another of contents that were read: who keeps contents tells of it, who counts
//! listens, and neither knows the other.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, header};
use opentelemetry::metrics::Counter;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::peer::Peer;
use crate::tenant::Client;

/// Reads that may wait; further ones push out the oldest.
const WAITING: usize = 1024;
/// Bytes of a user agent that are told at most.
const LONGEST_AGENT: usize = 512;

/// Somebody began to read a content.
#[derive(Clone, Debug)]
pub struct ContentRead {
    /// Whose it is.
    pub client: Arc<Client>,
    /// What kind of thing has the content, in the word of the workload that keeps it.
    pub subject: &'static str,
    /// Which of them.
    pub id: i64,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// Its `User-Agent`.
    pub agent: Vec<u8>,
    /// Whether a browser asked before anybody wanted to read.
    pub is_prefetch: bool,
}

impl ContentRead {
    /// That of a request with these `headers`.
    pub fn new(
        client: &Arc<Client>,
        (subject, id): (&'static str, i64),
        peer: Option<Peer>,
        headers: &HeaderMap,
    ) -> Self {
        let agent = headers.get(header::USER_AGENT);
        let agent = agent.map(http::HeaderValue::as_bytes).unwrap_or_default();
        let is_prefetch = ["sec-purpose", "purpose"].iter().any(|name| {
            let purpose = headers.get(*name).and_then(|value| value.to_str().ok());
            purpose.is_some_and(|purpose| purpose.starts_with("prefetch"))
        });
        Self {
            client: client.clone(),
            subject,
            id,
            address: Peer::address(peer, headers),
            agent: agent[..agent.len().min(LONGEST_AGENT)].to_vec(),
            is_prefetch,
        }
    }
}

/// Where reads are told of.
#[derive(Debug)]
pub struct ContentReads(broadcast::Sender<ContentRead>);

impl Default for ContentReads {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl ContentReads {
    /// Tells of what `read` makes to all who listen. Nobody waits for them: who is too slow misses the oldest.
    pub fn tell(&self, read: impl FnOnce() -> ContentRead) {
        if self.0.receiver_count() > 0 {
            // The last one may have left meanwhile.
            let _ = self.0.send(read());
        }
    }

    /// Hears of what is read from now on.
    pub fn listen(&self) -> Listener {
        let meter = opentelemetry::global::meter("docket");
        let missed = meter.u64_counter("docket_content_reads_missed_total");
        Listener {
            reads: self.0.subscribe(),
            missed: missed
                .with_description("Reads of contents that whoever counts them was too slow for")
                .build(),
        }
    }
}

/// One who hears of reads.
#[derive(Debug)]
pub struct Listener {
    reads: broadcast::Receiver<ContentRead>,
    missed: Counter<u64>,
}

impl Listener {
    /// The next one; none once nobody can tell of any more. What was missed is counted in
    /// `docket_content_reads_missed_total`.
    pub async fn next(&mut self) -> Option<ContentRead> {
        loop {
            match self.reads.recv().await {
                Ok(read) => return Some(read),
                Err(RecvError::Lagged(missed)) => self.missed.add(missed, &[]),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
