//! What a document says: its text, the words that a search finds it by, and a summary.

mod at_upload;
mod decode;
mod extract;
mod queue;
mod repository;
mod schedule;
mod source;
mod summary;
mod words;
mod worker;

pub(crate) use at_upload::{INLINE, Texts};
use at_upload::{KEPT, TextState};
pub(crate) use extract::Extractor;
pub use extract::{SUBCOMMAND, extract_text};
pub(crate) use repository::{TABLE, search_sql};
pub(crate) use words::words;
pub(crate) use worker::read_texts;

use docket_platform::tenant::Client;
use schedule::Schedule;
use summary::{Standing, Summarizer};

/// All that texts need beside the database and the object store.
#[derive(Debug)]
pub(crate) struct TextService {
    summarizer: Summarizer,
    extractor: Extractor,
    schedule: Schedule,
}

impl TextService {
    /// So many `clients` share the workers.
    ///
    /// # Errors
    /// When the settings of the summarizer make no sense.
    pub(crate) fn new(
        config: &docket_contract::Summarizer,
        extractor: Extractor,
        clients: usize,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            summarizer: Summarizer::new(config)?,
            extractor,
            schedule: Schedule::new(worker::AT_ONCE, clients),
        })
    }

    /// What is recorded of a file of `size` bytes that starts with `start`.
    pub(crate) fn at_upload(
        &self,
        filename: &str,
        file_type: &str,
        size: u64,
        start: &[u8],
    ) -> Texts {
        Texts::at_upload(&self.summarizer, filename, file_type, size, start)
    }

    /// Says that a document of `client` waits for its text to be read.
    pub(crate) fn wake(&self, client: &Client) {
        self.schedule.wake(&client.name);
    }

    /// How the calls of a summarizer went lately, if there is one to call.
    pub(crate) fn standing(&self) -> Option<&Standing> {
        self.summarizer.standing()
    }
}
