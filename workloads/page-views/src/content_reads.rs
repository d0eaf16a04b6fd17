//! Counts who reads contents, as what keeps them tells of it.

use std::sync::Arc;

use docket_platform::content_reads::{ContentRead, Listener};
use tokio_util::sync::CancellationToken;

use crate::recorder::{Recorder, Viewer};
use crate::view::Seen;

/// Whose reads are counted.
const DOCUMENT: &str = "document";

/// Records what `reads` brings until `stop`. Nobody waits for it: what cannot be recorded is lost.
pub(crate) async fn record(recorder: Arc<Recorder>, mut reads: Listener, stop: CancellationToken) {
    while let Some(Some(read)) = stop.run_until_cancelled(reads.next()).await {
        if read.subject == DOCUMENT && !read.is_prefetch {
            record_one(&recorder, &read).await;
        }
    }
}

async fn record_one(recorder: &Recorder, read: &ContentRead) {
    let viewer = Viewer {
        address: read.address,
        agent: &read.agent,
    };
    let seen = Seen {
        document_id: Some(read.id),
        ..Seen::default()
    };
    if let Err(error) = recorder.record(&read.client, viewer, vec![Ok(seen)]).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            client = read.client.name,
            "a read of a document is not counted"
        );
    }
}
