//! What the rest of the server knows of page views.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use docket_contract::PageViewsConfig;
use docket_platform::Platform;
use docket_platform::client_routes::ClientRoutes;
use docket_platform::maintenance::Task;
use docket_platform::problem::ProblemList;
use docket_platform::workload::{Workload, WorkloadScopes};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::UtoipaMethodRouterExt as _;
use utoipa_axum::routes;

use crate::maintenance::{CountDays, Forget};
use crate::problems::PROBLEMS;
use crate::state::PageViewsState;
use crate::{READ, WRITE, content_reads, counts, insertion, record, report, salts};

/// What it is called: in the spec, in tags and in telemetry.
pub const NAME: &str = "pageViews";

/// Who looks at which page, without knowing who.
#[derive(Debug)]
pub struct PageViews {
    platform: Platform,
    state: PageViewsState,
    config: PageViewsConfig,
}

impl PageViews {
    /// As `config` has it.
    pub fn new(platform: &Platform, config: &PageViewsConfig) -> Self {
        Self {
            state: PageViewsState::new(platform, config),
            platform: platform.clone(),
            config: config.clone(),
        }
    }
}

impl Workload for PageViews {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Views of pages and documents, with visitors that nobody can name"
    }

    fn scopes(&self) -> WorkloadScopes {
        WorkloadScopes {
            read: READ,
            admin: READ,
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            insertion::TABLE,
            insertion::IDS,
            insertion::REJECTS,
            salts::TABLE,
            counts::DAYS,
            counts::COUNTS,
        ]
    }

    fn problems(&self) -> ProblemList {
        PROBLEMS
    }

    fn routes(&self) -> ClientRoutes {
        let access = &self.platform.access;
        let limit = DefaultBodyLimit::max(record::MAX_BODY);
        ClientRoutes::new()
            .routes(WRITE.on_publishable(access, routes!(record::record_page_views).layer(limit)))
            .routes(READ.on(access, routes!(report::report_page_views)))
            .with_state(self.state.clone())
    }

    fn root_prefixes(&self) -> &'static [&'static str] {
        &["/api/p3", "/p3/api/p3"]
    }

    fn tasks(&self) -> Vec<Arc<dyn Task>> {
        let forget = Forget::new(&self.platform, self.config.retention_days);
        vec![Arc::new(CountDays::new(&self.platform)), Arc::new(forget)]
    }

    /// Counts reads of contents, if that is asked for.
    fn background(&self, stop: CancellationToken) -> BoxFuture<'static, ()> {
        if !self.config.documents {
            return std::future::ready(()).boxed();
        }
        let reads = self.platform.content_reads.listen();
        content_reads::record(self.state.recorder.clone(), reads, stop).boxed()
    }
}
