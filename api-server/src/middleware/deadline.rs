//! The time until the first byte of an answer; not for routes that read large bodies.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::SharedApp;
use crate::error::Error;

pub(crate) async fn enforce(
    State(app): SharedApp,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let limit = app.limits.request_timeout;
    tokio::time::timeout(limit, next.run(request))
        .await
        .map_err(|_| Error::Deadline(limit))
}
