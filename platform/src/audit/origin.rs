//! Where a change comes from.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::middleware::auth::{Actor, Caller};
use crate::middleware::request_id::RequestId;

/// Who asks for a change, and what finds the request in traces and logs.
#[derive(Clone, Debug)]
pub struct Origin {
    /// As the audit log names it.
    pub actor: String,
    /// Of the request.
    pub trace_id: Option<String>,
    /// Its `X-Request-ID`.
    pub request_id: Option<String>,
}

impl Origin {
    /// `actor`, in the request that is under way.
    pub(crate) fn of(actor: &Actor, request: RequestId) -> Self {
        Self {
            actor: actor.0.clone(),
            trace_id: docket_instrumentation::trace_id(),
            request_id: Some(request.0),
        }
    }

    /// The server itself, in a trace of its own.
    pub fn server() -> Self {
        Self {
            actor: "docket".to_owned(),
            trace_id: docket_instrumentation::trace_id(),
            request_id: None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
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
