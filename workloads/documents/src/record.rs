//! An upload's last step: its document is recorded, together with others under load.

use std::sync::Arc;

use docket_platform::content_store::Upload;
use docket_platform::database::{Batch, ClientBatchers, Database, commits_itself};
use docket_platform::error::Error;
use docket_platform::tenant::{Client, Tenant};
use tracing::Span;

use super::recording::{Recording, insert, insert_all};
use super::{Document, TABLE};

/// What becomes of a document that is recorded together with others.
#[derive(Clone, Debug)]
enum Outcome {
    Recorded(Box<Document>),
    /// Postgres refused one of them, or their sum, and so recorded none.
    Refused,
    /// `nothing_recorded` is for certain; else it may be recorded all the same.
    Failed {
        error: Arc<Error>,
        nothing_recorded: bool,
    },
}

/// Records documents, those that come at the same time together.
#[derive(Debug)]
pub(super) struct Recorder {
    database: Arc<Database>,
    batchers: ClientBatchers<Arc<Recording>, Outcome>,
}

impl Recorder {
    pub(super) fn new(database: Arc<Database>, tenant: &Tenant) -> Self {
        Self {
            database,
            batchers: ClientBatchers::new(tenant),
        }
    }

    /// Records the document of `upload`, which is kept unless nothing was recorded for certain.
    ///
    /// A request that has spans does so by itself, so that they tell of its own commit, and so does one that
    /// was refused together with others: it gets its own reason.
    ///
    /// # Errors
    /// [`Error::QuotaExceeded`], [`Error::Unprocessable`] when another document has that content already.
    pub(super) async fn record(
        &self,
        client: &Arc<Client>,
        recording: &Arc<Recording>,
        upload: &mut Upload,
    ) -> Result<Document, Error> {
        if Span::current().is_none()
            && let Some(batcher) = self.batchers.of(client)
        {
            // Past this point an error no longer means that nothing was recorded.
            upload.keep();
            match batcher.submit(recording.clone(), self.all_of(client)).await {
                Some(Outcome::Recorded(document)) => return Ok(*document),
                Some(Outcome::Refused) => upload.give_up(),
                Some(Outcome::Failed {
                    error,
                    nothing_recorded,
                }) => {
                    if nothing_recorded {
                        upload.give_up();
                    }
                    return Err(Error::Shared(error));
                }
                None => return Err(Error::Panic),
            }
        }
        let database = &self.database;
        let mut connection = database.connection_to_commit(client).await?;
        upload.keep();
        let insert = insert(database, connection.as_mut(), client, recording);
        let document = commits_itself(TABLE, insert).await.inspect_err(|error| {
            if matches!(error, Error::QuotaExceeded(_) | Error::Unprocessable(_)) {
                upload.give_up();
            }
        })?;
        connection.settle();
        Ok(document)
    }

    fn all_of(&self, client: &Arc<Client>) -> RecordAll {
        RecordAll {
            database: self.database.clone(),
            client: client.clone(),
        }
    }
}

struct RecordAll {
    database: Arc<Database>,
    client: Arc<Client>,
}

impl RecordAll {
    async fn record_all(&self, recordings: &[Arc<Recording>]) -> Result<Vec<Document>, Outcome> {
        let database = &self.database;
        let connection = database.connection_to_commit(&self.client).await;
        let mut connection = connection.map_err(|error| Outcome::Failed {
            error: Arc::new(error),
            nothing_recorded: true,
        })?;
        let recordings: Vec<&Recording> = recordings.iter().map(AsRef::as_ref).collect();
        let insert = insert_all(database, connection.as_mut(), &self.client, &recordings);
        let recorded = database.within_deadline(commits_itself(TABLE, insert));
        let recorded = recorded.await.map_err(failed)?;
        connection.settle();
        Ok(recorded)
    }
}

impl Batch<Arc<Recording>, Outcome> for RecordAll {
    // While one waits for the disk, the other is prepared.
    const CONCURRENT: usize = 2;
    // Each has up to 64 KiB of text, and its words.
    const MAX_SIZE: usize = 32;

    async fn run(&self, recordings: Vec<Arc<Recording>>) -> Option<Vec<Outcome>> {
        Some(match self.record_all(&recordings).await {
            Ok(documents) if documents.len() == recordings.len() => {
                let each = documents.into_iter().map(Box::new);
                each.map(Outcome::Recorded).collect()
            }
            Ok(_) => recordings.iter().map(|_| Outcome::Refused).collect(),
            Err(outcome) => recordings.iter().map(|_| outcome.clone()).collect(),
        })
    }
}

/// What Postgres itself refuses is undone; of anything else nobody knows.
fn failed(error: Error) -> Outcome {
    match error {
        Error::Database(sqlx::Error::Database(_)) => Outcome::Refused,
        error => Outcome::Failed {
            error: Arc::new(error),
            nothing_recorded: false,
        },
    }
}
