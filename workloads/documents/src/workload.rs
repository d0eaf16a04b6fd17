//! What the rest of the server knows of documents.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use docket_contract::DocumentsConfig;
use docket_platform::Platform;
use docket_platform::client_routes::ClientRoutes;
use docket_platform::content_store::ContentStore;
use docket_platform::health::Finding;
use docket_platform::json::MAX_BODY;
use docket_platform::maintenance::Task;
use docket_platform::problem::ProblemList;
use docket_platform::usage::Counters;
use docket_platform::workload::{Workload, WorkloadScopes};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::UtoipaMethodRouterExt as _;
use utoipa_axum::routes;

use super::maintenance::{Purge, Sweep};
use super::state::{DocumentsSettings, DocumentsState};
use super::{
    ADMIN, COUNTERS, ENVELOPE, PROBLEMS, READ, SUBJECT, TABLE, WRITE, content, data_store, list,
    maintenance, metadata, replace, text, trash, update, upload, version_content,
    version_repository, versions,
};

/// What it is called: in the spec, in tags and in telemetry.
pub const NAME: &str = "documents";

/// Files with metadata.
#[derive(Debug)]
pub struct Documents {
    platform: Platform,
    state: DocumentsState,
}

impl Documents {
    /// # Errors
    /// When the storage or the summarizer of the tenant makes no sense.
    pub fn new(
        platform: &Platform,
        config: &DocumentsConfig,
        settings: DocumentsSettings,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            state: DocumentsState::new(platform, config, settings)?,
            platform: platform.clone(),
        })
    }
}

impl Workload for Documents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Files with metadata, apart for each client"
    }

    fn scopes(&self) -> WorkloadScopes {
        WorkloadScopes {
            read: READ,
            admin: ADMIN,
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            TABLE,
            version_repository::TABLE,
            text::TABLE,
            maintenance::orphans::TABLE,
        ]
    }

    fn audit_subjects(&self) -> &'static [&'static str] {
        &[SUBJECT]
    }

    fn problems(&self) -> ProblemList {
        PROBLEMS
    }

    fn routes(&self) -> ClientRoutes {
        let access = &self.platform.access;
        let largest = self.state.limits.max_upload_bytes.saturating_add(ENVELOPE);
        let limit = DefaultBodyLimit::max(usize::try_from(largest).unwrap_or(usize::MAX));
        ClientRoutes::new()
            .routes(READ.on(access, routes!(list::list_documents)))
            .routes(READ.on(access, routes!(metadata::get_document)))
            .routes(WRITE.on(access, routes!(trash::delete_document)))
            .routes(WRITE.on(access, routes!(trash::restore_document)))
            .routes(READ.on(access, routes!(content::get_content, content::head_content)))
            .routes(READ.on(access, routes!(versions::list_versions)))
            .routes(READ.on(
                access,
                routes!(version_content::get_version, version_content::head_version),
            ))
            .routes(WRITE.on_upload(
                access,
                routes!(update::update_document).layer(DefaultBodyLimit::max(MAX_BODY)),
            ))
            .routes(WRITE.on_upload(access, routes!(upload::upload_document).layer(limit)))
            .routes(WRITE.on_upload(access, routes!(replace::replace_content).layer(limit)))
            .with_state(self.state.clone())
    }

    /// The data store: `POST /clients/{client}/documents` and `GET /clients/{client}/documents/{id}`.
    fn internal_routes(&self) -> Router {
        let access = &self.platform.access;
        Router::new()
            .route(
                "/clients/{client}/documents",
                WRITE.guard_upload(access, post(data_store::create_document)),
            )
            .route(
                "/clients/{client}/documents/{id}",
                READ.guard(access, get(metadata::get_document)),
            )
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self.state.clone())
    }

    fn content(&self) -> Option<&ContentStore> {
        Some(&self.state.content)
    }

    fn tasks(&self) -> Vec<Arc<dyn Task>> {
        let (platform, content) = (&self.platform, &self.state.content);
        let limits = self.state.limits;
        let sweep = Sweep::new(platform, content, limits.orphan_grace, limits.orphan_wait);
        vec![Arc::new(Purge::new(platform, content)), Arc::new(sweep)]
    }

    fn counters(&self) -> Option<&'static Counters> {
        Some(&COUNTERS)
    }

    /// By its last calls: probes must not cost what calls cost.
    fn components(&self) -> Vec<(&'static str, Finding)> {
        let standing = self.state.texts.standing();
        let finding = standing.map(|standing| match standing.is_good() {
            true => Finding::healthy(),
            false => Finding::degraded("the summarizer fails; summaries come later".into()),
        });
        let component = finding.map(|finding| ("summarizer", finding));
        component.into_iter().collect()
    }

    /// Reads texts.
    fn background(&self, stop: CancellationToken) -> BoxFuture<'static, ()> {
        let (platform, content) = (self.platform.clone(), self.state.content.clone());
        text::read_texts(platform, content, self.state.texts.clone(), stop).boxed()
    }
}
