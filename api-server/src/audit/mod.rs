//! Who changed what, when: an entry in the transaction of the change itself, for every workload.

mod filter;
mod list;
mod origin;
mod read;
mod record;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use origin::Origin;
pub(crate) use record::{Entry, TABLE, record};

use crate::App;
use crate::documents;

/// `GET /clients/{client}/audit`.
pub(crate) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(documents::ADMIN.on(app, routes!(list::list_audit)))
}
