//! The routes of clients, and where they stand: each under `/clients/{client}`, and those of a workload
//! with prefixes of its own under these too.

use utoipa::openapi::PathItem;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use crate::openapi;

/// What stands before the routes of a client that the path names.
const CLIENT: &str = "/clients/{client}";

/// Routes of clients, each behind a gate, by paths below those of a client, such as `/usage`: written
/// once, wherever they stand. A handler takes parameters of its path by name, since `{client}` is one of
/// them in one place and not in another.
pub struct ClientRoutes<S = ()>(Vec<UtoipaMethodRouter<S>>);

impl<S> Default for ClientRoutes<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Clone + Send + Sync + 'static> ClientRoutes<S> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These and `routes`.
    #[must_use]
    pub fn routes(mut self, routes: UtoipaMethodRouter<S>) -> Self {
        self.0.push(routes);
        self
    }

    /// The same, whose handlers take `state`.
    pub fn with_state<S2>(self, state: S) -> ClientRoutes<S2> {
        let routes = self.0.into_iter();
        ClientRoutes(
            routes
                .map(|routes| routes.with_state(state.clone()))
                .collect(),
        )
    }
}

impl ClientRoutes {
    /// Where the path names the client.
    pub(crate) fn under_clients(&self) -> OpenApiRouter {
        self.under(CLIENT, openapi::complete_under_clients)
    }

    /// Where the credential says which client it is.
    pub(crate) fn at_root(&self, prefix: &str) -> OpenApiRouter {
        self.under(prefix, |item| openapi::complete_at_root(item, prefix))
    }

    fn under(&self, prefix: &str, complete: impl Fn(&mut PathItem)) -> OpenApiRouter {
        let routers = self.0.iter().cloned();
        routers.fold(OpenApiRouter::new(), |all, mut router| {
            let paths = std::mem::take(&mut router.1.paths);
            router.1.paths = paths
                .into_iter()
                .map(|(path, mut item)| {
                    complete(&mut item);
                    (format!("{prefix}{path}"), item)
                })
                .collect();
            all.routes(router)
        })
    }
}
