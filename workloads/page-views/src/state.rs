//! What the handlers of page views take, each what it needs.

use std::sync::Arc;

use axum::extract::FromRef;
use docket_contract::PageViewsConfig;
use docket_platform::Platform;
use docket_platform::database::Database;

use crate::recorder::Recorder;
use crate::view::Reader;

/// The parts; a clone has the same ones.
#[derive(Clone, Debug, FromRef)]
pub(crate) struct PageViewsState {
    database: Arc<Database>,
    pub(crate) recorder: Arc<Recorder>,
    reader: Arc<Reader>,
}

impl PageViewsState {
    pub(crate) fn new(platform: &Platform, config: &PageViewsConfig) -> Self {
        Self {
            database: platform.database.clone(),
            recorder: Arc::new(Recorder::new(platform)),
            reader: Arc::new(Reader::new(&config.origins)),
        }
    }
}
