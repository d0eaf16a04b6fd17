//! Reads, in the background, the texts that were not read during their uploads, and asks a language
//! model for summaries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use docket_platform::Platform;
use docket_platform::content_store::ContentStore;
use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::tenant::{Client, Tenant};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue};
use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::extract::{self, Extractor, Failure};
use super::queue::{self, NextTask, TextTask};
use super::source::Source;
use super::{KEPT, TextService, TextState, Texts, decode};

/// Documents that are worked on at once, of all clients together: a client that has half of them goes on beside a
/// model that does not answer.
pub(super) const AT_ONCE: usize = 4;
/// Between two looks at a client for whom nothing is known to be due, give or take a half: for
/// documents of a server that is gone, or of a version that knows nothing of texts.
const LOOK: Duration = Duration::from_secs(300);
/// A document may be due that another process is about to claim.
const SHORTEST: Duration = Duration::from_secs(1);
/// The first look at every client, give or take all of it.
const FIRST_LOOK: Duration = Duration::from_secs(20);
/// After this many attempts nothing new can be hoped for.
const ATTEMPTS: i16 = 8;
/// After this many attempts in a row of which nothing was heard again, it is the file that ends who reads it.
const LOST_ATTEMPTS: i16 = 3;

/// Works until `stop`; what is in the middle then is done by whoever looks next.
pub(crate) async fn read_texts(
    platform: Platform,
    content: ContentStore,
    texts: Arc<TextService>,
    stop: CancellationToken,
) {
    let worker = Worker {
        tenant: platform.tenant,
        database: platform.database,
        content,
        texts,
    };
    for client in worker.tenant.clients() {
        let first = FIRST_LOOK.mul_f64(jitter());
        let schedule = &worker.texts.schedule;
        schedule.at(&client.name, Instant::now() + first);
    }
    let told = tell_confinement(&worker.texts.extractor);
    let workers = (0..AT_ONCE).map(|_| worker.work());
    let workers = futures::future::join_all(workers);
    let work = async { tokio::join!(workers, told) };
    tokio::select! { _ = work => {}, () = stop.cancelled() => {} }
}

/// In the log and as the metric `text_reader_confined`: an old kernel cannot do all of it.
async fn tell_confinement(extractor: &Extractor) {
    let confinement = match extractor.confinement().await {
        Ok(confinement) => confinement,
        Err(error) => {
            tracing::warn!(%error, "it is not known what a process that reads files may do");
            return;
        }
    };
    let gauge = opentelemetry::global::meter("docket")
        .u64_gauge("text_reader_confined")
        .with_description(
            "Whether a process that reads files has given up a kind of things, by layer",
        )
        .build();
    for (layer, holds) in confinement.layers() {
        gauge.record(holds.into(), &[KeyValue::new("layer", layer)]);
        if !holds {
            tracing::warn!(
                layer,
                "the kernel does not confine the process that reads files"
            );
        }
    }
}

/// What reading a text takes.
struct Worker {
    tenant: Arc<Tenant>,
    database: Arc<Database>,
    content: ContentStore,
    texts: Arc<TextService>,
}

impl Worker {
    async fn work(&self) {
        loop {
            let visit = self.texts.schedule.next().await;
            let name = visit.client.as_str();
            let Some(client) = self.tenant.clients().find(|client| client.name == name) else {
                continue;
            };
            let look = LOOK.mul_f64(0.5 + jitter());
            let wait = match queue::claim(&self.database, client).await {
                Ok(NextTask::Task(task)) => {
                    // There may be more, which another worker can begin with.
                    self.texts.schedule.wake(name);
                    self.perform(client, &task).await;
                    continue;
                }
                Ok(NextTask::Later(wait)) => wait.clamp(SHORTEST, look),
                Ok(NextTask::Nothing) => look,
                Err(error) => {
                    tracing::debug!(client = name, %error, "the documents to read are not known");
                    look
                }
            };
            self.texts.schedule.at(name, Instant::now() + wait);
        }
    }

    async fn perform(&self, client: &Client, task: &TextTask) {
        let span = tracing::info_span!(
            "document_text",
            client = client.name,
            file_type = task.file_type,
            attempt = task.attempt,
        );
        docket_instrumentation::accept_parent(&span, &headers(task));
        let again = backoff(task.attempt);
        let work = async {
            let done = match self.read(client, task).await {
                Ok(texts) => queue::finish(&self.database, client, task, &texts, again).await,
                Err(error) => {
                    tracing::warn!(document = task.id, %error, "a text cannot be read now");
                    queue::postpone(&self.database, client, task, again).await
                }
            };
            if let Err(error) = done {
                tracing::warn!(document = task.id, %error, "what became of a text cannot be recorded");
            }
        };
        work.instrument(span).await;
    }

    /// What is found out of a document, even if it is that there is no text in it.
    async fn read(&self, client: &Client, task: &TextTask) -> Result<Texts, Error> {
        let last = task.attempt >= ATTEMPTS;
        let unread = || Texts::unread(&task.filename, &task.file_type);
        if task.lost >= LOST_ATTEMPTS {
            tracing::warn!(
                document = task.id,
                attempts = task.lost,
                "a text is not read any more: the process that read it ended each time"
            );
            return Ok(unread().in_state(TextState::Failed));
        }
        let text = match self.text(client, task).await {
            Ok(text) => text,
            Err(Failure::File(sentence)) => {
                tracing::info!(
                    document = task.id,
                    sentence,
                    "a document has no text that can be read"
                );
                return Ok(unread().in_state(TextState::Failed));
            }
            Err(failure) if last => {
                tracing::warn!(document = task.id, %failure, "a text was not read");
                return Ok(unread().in_state(TextState::Failed));
            }
            Err(Failure::Content(error)) => return Err(error),
            Err(failure) => {
                tracing::warn!(document = task.id, %failure, "a text cannot be read now");
                return Ok(unread());
            }
        };
        let Some(text) = text.filter(|text| text.contains(char::is_alphanumeric)) else {
            return Ok(unread().in_state(TextState::NoText));
        };
        let summary = self.texts.summarizer.summarize(&text, last).await;
        let state = summary.state();
        Ok(Texts::read(&task.filename, &text, summary.into_text()).in_state(state))
    }

    /// `None` for a file of a type without text.
    async fn text(&self, client: &Client, task: &TextTask) -> Result<Option<String>, Failure> {
        let size = task.file_size;
        match Source::of(&task.file_type) {
            None => Ok(None),
            _ if size == 0 => Ok(None),
            Some(Source::Plain) => {
                let part = Some(0..size.min(KEPT as u64));
                let mut content = self.content.read(client, task.content_key, part).await?;
                let mut bytes = BytesMut::new();
                while let Some(chunk) = content.next().await {
                    bytes.extend_from_slice(&chunk.map_err(Error::from)?);
                }
                Ok(Some(decode::decode(&bytes)))
            }
            Some(Source::Format(_)) if size > extract::LARGEST => Err(Failure::File(format!(
                "it has {size} bytes, more than {}",
                extract::LARGEST
            ))),
            Some(Source::Format(format)) => {
                let content = self.content.read(client, task.content_key, None).await?;
                Ok(Some(self.texts.extractor.extract(format, content).await?))
            }
        }
    }
}

/// Half a minute, doubled each time, an hour at most; give or take a half.
fn backoff(attempt: i16) -> Duration {
    let doublings = u32::from(attempt.clamp(1, 8).unsigned_abs()) - 1;
    let wait = Duration::from_secs(30) * 2_u32.pow(doublings);
    wait.min(Duration::from_secs(3600)).mul_f64(0.5 + jitter())
}

/// From 0 to 1.
fn jitter() -> f64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    f64::from(bytes[0]) / 256.0
}

/// The request that made it necessary, as a parent is told.
fn headers(task: &TextTask) -> HeaderMap {
    let parent = task.traceparent.as_deref();
    let parent = parent.and_then(|parent| HeaderValue::from_str(parent).ok());
    parent
        .map(|parent| ("traceparent".parse().expect("a name"), parent))
        .into_iter()
        .collect()
}
