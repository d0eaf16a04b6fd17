//! Where a change comes from.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::App;
use crate::middleware::auth::{Actor, Caller};
use crate::middleware::request_id::RequestId;

/// Who asks for a change, and what finds the request in traces and logs.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) actor: String,
    pub(crate) trace_id: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl Origin {
    /// The server itself, in a trace of its own.
    pub(crate) fn server() -> Self {
        Self {
            actor: "docket".to_owned(),
            trace_id: docket_instrumentation::trace_id(),
            request_id: None,
        }
    }
}

impl FromRequestParts<Arc<App>> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let actor = caller.map(|caller| caller.actor.clone());
        let id = parts.extensions.get::<RequestId>().cloned();
        Ok(Self {
            actor: actor.unwrap_or_else(Actor::anonymous).0,
            trace_id: docket_instrumentation::trace_id(),
            request_id: id.map(|id| id.0),
        })
    }
}
