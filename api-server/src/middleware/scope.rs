//! What a caller may do: each route states, where it is declared, the scope that it needs.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::gate::{self, Gate};
use crate::error::Error;
use crate::{App, openapi};

/// Something that a token must allow, such as `documents:read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope(pub(crate) &'static str);

/// The scopes that a caller has.
#[derive(Clone, Debug)]
pub(crate) enum Scopes {
    /// A key opens all that is its client's.
    All,
    Of(Vec<String>),
}

impl Scopes {
    /// # Errors
    /// [`Error::InsufficientScope`] without it.
    pub(crate) fn check(&self, scope: Scope) -> Result<(), Error> {
        let has = match self {
            Self::All => true,
            Self::Of(scopes) => scopes.iter().any(|it| it == scope.0),
        };
        has.then_some(()).ok_or(Error::InsufficientScope(scope.0))
    }
}

impl Scope {
    /// `routes`, for callers that have this scope, answered within the deadline; the OpenAPI document
    /// says so.
    pub(crate) fn on<S: Clone + Send + Sync + 'static>(
        self,
        app: &Arc<App>,
        routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S> {
        self.documented(app, Some(app.limits.request_timeout), routes)
    }

    /// The same for routes that read a body, which takes as long as it is: they set their own limits.
    pub(crate) fn on_upload<S: Clone + Send + Sync + 'static>(
        self,
        app: &Arc<App>,
        routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S> {
        self.documented(app, None, routes)
    }

    /// [`on`](Self::on) for routes that are in no document.
    pub(crate) fn guard<S: Clone + Send + Sync + 'static>(
        self,
        app: &Arc<App>,
        router: MethodRouter<S>,
    ) -> MethodRouter<S> {
        self.gated(app, Some(app.limits.request_timeout), router)
    }

    fn documented<S: Clone + Send + Sync + 'static>(
        self,
        app: &Arc<App>,
        deadline: Option<Duration>,
        mut routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S> {
        openapi::require_scope(&mut routes.1, self.0);
        routes.map(|router| self.gated(app, deadline, router))
    }

    fn gated<S: Clone + Send + Sync + 'static>(
        self,
        app: &Arc<App>,
        deadline: Option<Duration>,
        router: MethodRouter<S>,
    ) -> MethodRouter<S> {
        let gate = Gate {
            app: app.clone(),
            scope: self,
            deadline,
        };
        router.route_layer(from_fn_with_state(gate, gate::pass))
    }
}
