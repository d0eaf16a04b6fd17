//! An upload's last step: its document is inserted, together with others under load.

use std::sync::Arc;

use docket_platform::content_store::Upload;
use docket_platform::database::{Batch, ClientBatchers, Database, commits_itself};
use docket_platform::error::Error;
use docket_platform::tenant::{Client, Tenant};
use tracing::Span;

use super::insertion::{Insertion, insert, insert_all};
use super::{Document, TABLE};

/// What becomes of a document that is inserted together with others.
#[derive(Clone, Debug)]
enum Outcome {
    Inserted(Box<Document>),
    /// Postgres refused one of them, or their sum, and so inserted none.
    Refused,
    /// `nothing_inserted` is for certain; else it may be inserted all the same.
    Failed {
        error: Arc<Error>,
        nothing_inserted: bool,
    },
}

/// Inserts documents, those that come at the same time together.
#[derive(Debug)]
pub(super) struct Inserter {
    database: Arc<Database>,
    batchers: ClientBatchers<Arc<Insertion>, Outcome>,
}

impl Inserter {
    pub(super) fn new(database: Arc<Database>, tenant: &Tenant) -> Self {
        Self {
            database,
            batchers: ClientBatchers::new(tenant),
        }
    }

    /// Inserts the document of `upload`, which is kept unless nothing was inserted for certain.
    ///
    /// A request that has spans does so by itself, so that they tell of its own commit, and so does one that
    /// was refused together with others: it gets its own reason.
    ///
    /// # Errors
    /// [`Error::QuotaExceeded`], [`Error::Unprocessable`] when another document has that content already.
    pub(super) async fn insert(
        &self,
        client: &Arc<Client>,
        insertion: &Arc<Insertion>,
        upload: &mut Upload,
    ) -> Result<Document, Error> {
        if Span::current().is_none()
            && let Some(batcher) = self.batchers.of(client)
        {
            // Past this point an error no longer means that nothing was inserted.
            upload.keep();
            match batcher.submit(insertion.clone(), self.all_of(client)).await {
                Some(Outcome::Inserted(document)) => return Ok(*document),
                Some(Outcome::Refused) => upload.give_up(),
                Some(Outcome::Failed {
                    error,
                    nothing_inserted,
                }) => {
                    if nothing_inserted {
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
        let insert = insert(database, connection.as_mut(), client, insertion);
        let document = commits_itself(TABLE, insert).await.inspect_err(|error| {
            if matches!(error, Error::QuotaExceeded(_) | Error::Unprocessable(_)) {
                upload.give_up();
            }
        })?;
        connection.settle();
        Ok(document)
    }

    fn all_of(&self, client: &Arc<Client>) -> InsertAll {
        InsertAll {
            database: self.database.clone(),
            client: client.clone(),
        }
    }
}

struct InsertAll {
    database: Arc<Database>,
    client: Arc<Client>,
}

impl InsertAll {
    async fn insert_all(&self, insertions: &[Arc<Insertion>]) -> Result<Vec<Document>, Outcome> {
        let database = &self.database;
        let connection = database.connection_to_commit(&self.client).await;
        let mut connection = connection.map_err(|error| Outcome::Failed {
            error: Arc::new(error),
            nothing_inserted: true,
        })?;
        let insertions: Vec<&Insertion> = insertions.iter().map(AsRef::as_ref).collect();
        let insert = insert_all(database, connection.as_mut(), &self.client, &insertions);
        let inserted = database.within_deadline(commits_itself(TABLE, insert));
        let inserted = inserted.await.map_err(failed)?;
        connection.settle();
        Ok(inserted)
    }
}

impl Batch<Arc<Insertion>, Outcome> for InsertAll {
    // While one waits for the disk, the other is prepared.
    const CONCURRENT: usize = 2;
    // Each has up to 64 KiB of text, and its words.
    const MAX_SIZE: usize = 32;

    async fn run(&self, insertions: Vec<Arc<Insertion>>) -> Option<Vec<Outcome>> {
        Some(match self.insert_all(&insertions).await {
            Ok(documents) if documents.len() == insertions.len() => {
                let each = documents.into_iter().map(Box::new);
                each.map(Outcome::Inserted).collect()
            }
            Ok(_) => insertions.iter().map(|_| Outcome::Refused).collect(),
            Err(outcome) => insertions.iter().map(|_| outcome.clone()).collect(),
        })
    }
}

/// What Postgres itself refuses is undone; of anything else nobody knows.
fn failed(error: Error) -> Outcome {
    match error {
        Error::Database(sqlx::Error::Database(_)) => Outcome::Refused,
        error => Outcome::Failed {
            error: Arc::new(error),
            nothing_inserted: false,
        },
    }
}
