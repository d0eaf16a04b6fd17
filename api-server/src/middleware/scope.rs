//! What a caller may do: each route states, where it is declared, the scope that it needs.

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::auth::{Caller, Identified};
use crate::error::Error;
use crate::openapi;

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
    /// `routes`, for callers that have this scope; the OpenAPI document says so.
    pub(crate) fn on<S>(self, mut routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        openapi::require_scope(&mut routes.1, self.0);
        routes.map(|router| self.guard(router))
    }

    /// The same for routes that are in no document.
    pub(crate) fn guard<S>(self, router: MethodRouter<S>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router.route_layer(from_fn_with_state(self, check))
    }
}

/// Lets the handler know its [`Caller`], which nothing else does: a route without a scope serves
/// nobody.
async fn check(
    State(scope): State<Scope>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let identified = request.extensions().get::<Identified>();
    let identified = identified.ok_or(Error::Forbidden)?;
    identified.scopes.check(scope)?;
    let caller = Caller(identified.client.clone());
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}
