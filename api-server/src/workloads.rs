//! The workloads of a tenant: each is a module with its own routes, tables and limits. What every
//! request passes, and what health asks, knows of them no more than this file says.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::problem::ProblemList;
use crate::{App, audit, documents, error, idempotency, maintenance, usage};

/// The client routes of all workloads.
pub(crate) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    documents::routes(app)
        .merge(audit::routes(app))
        .merge(usage::routes(app))
}

/// The problems of the platform, and then those of each workload.
pub(crate) const PROBLEMS: &[ProblemList] = &[error::kinds::PROBLEMS, documents::PROBLEMS];

/// The tables that a client's schema must have for all workloads, and for what they share.
pub(crate) fn tables() -> Vec<&'static str> {
    [
        &[
            audit::TABLE,
            usage::TABLE,
            idempotency::TABLE,
            maintenance::TABLE,
        ],
        documents::TABLES,
    ]
    .concat()
}
