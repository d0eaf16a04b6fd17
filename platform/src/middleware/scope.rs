//! What a caller may do: each route states, where it is declared, the scope that it needs.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::MethodRouter;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::access::Access;
use super::cors;
use super::gate::Gate;
use crate::error::Error;
use crate::openapi;

/// Something that a token must allow, by its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(pub &'static str);

/// The scopes that a caller has.
#[derive(Clone, Debug)]
pub enum Scopes {
    /// A key opens all that is its client's.
    All,
    /// A token opens what its scopes say.
    Of(Vec<String>),
}

impl Scopes {
    /// # Errors
    /// [`Error::InsufficientScope`] without one of `wanted`; it names the first.
    pub fn check(&self, wanted: &[Scope]) -> Result<(), Error> {
        let Self::Of(scopes) = self else {
            return Ok(());
        };
        let has = |wanted: &Scope| scopes.iter().any(|it| it == wanted.0);
        match wanted.iter().any(has) {
            true => Ok(()),
            false => Err(Error::InsufficientScope(
                wanted.first().map_or("", |scope| scope.0),
            )),
        }
    }
}

impl Scope {
    /// `routes`, for callers that have this scope, answered within the deadline; the OpenAPI document
    /// says so.
    pub fn on<S: Clone + Send + Sync + 'static>(
        self,
        access: &Arc<Access>,
        routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S> {
        on_any(&[self], access, routes)
    }

    /// [`on`](Self::on) for routes that pages in a browser call too, with a publishable key of this scope
    /// and from one of its origins: they may read the answers, and what they ask before is answered.
    ///
    /// # Panics
    /// When two such declarations have a path in common.
    pub fn on_publishable<S: Clone + Send + Sync + 'static>(
        self,
        access: &Arc<Access>,
        mut routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S> {
        openapi::allow_publishable_key(&mut routes.1);
        openapi::require_scope(&mut routes.1, self.0);
        let methods = openapi::methods(&routes.1);
        let gate = Gate {
            publishable: Some(self),
            ..Gate::new(&[self], access, Some(access.deadline))
        };
        routes.map(|router| cors::open(access, self, methods, gate.before(router)))
    }

    /// [`on`](Self::on) for routes that read a body, which takes as long as it is: they set their own limits.
    pub fn on_upload<S: Clone + Send + Sync + 'static>(
        self,
        access: &Arc<Access>,
        routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S> {
        documented(&[self], access, None, routes)
    }

    /// [`on`](Self::on) for routes that the OpenAPI document lacks.
    pub fn guard<S: Clone + Send + Sync + 'static>(
        self,
        access: &Arc<Access>,
        router: MethodRouter<S>,
    ) -> MethodRouter<S> {
        Gate::new(&[self], access, Some(access.deadline)).before(router)
    }

    /// [`guard`](Self::guard) for routes that read large contents, which takes as long as they are.
    pub fn guard_upload<S: Clone + Send + Sync + 'static>(
        self,
        access: &Arc<Access>,
        router: MethodRouter<S>,
    ) -> MethodRouter<S> {
        Gate::new(&[self], access, None).before(router)
    }
}

/// [`Scope::on`] for callers that have one of `scopes`.
pub fn on_any<S: Clone + Send + Sync + 'static>(
    scopes: &[Scope],
    access: &Arc<Access>,
    routes: UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    documented(scopes, access, Some(access.deadline), routes)
}

fn documented<S: Clone + Send + Sync + 'static>(
    scopes: &[Scope],
    access: &Arc<Access>,
    deadline: Option<Duration>,
    mut routes: UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    for scope in scopes {
        openapi::require_scope(&mut routes.1, scope.0);
    }
    routes.map(|router| Gate::new(scopes, access, deadline).before(router))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_scopes_is_enough_and_a_refusal_names_the_first() {
        let wanted = [Scope("a:read"), Scope("b:read")];
        for (has, passes) in [
            (&["b:read"][..], true),
            (&["x", "a:read"], true),
            (&["a:write"], false),
            (&[], false),
        ] {
            let scopes = Scopes::Of(has.iter().map(|one| (*one).to_owned()).collect());
            let refusal = scopes.check(&wanted).err().map(|error| error.to_string());
            let expected = "the token lacks the scope a:read".to_owned();
            assert_eq!(refusal, (!passes).then_some(expected), "{has:?}");
        }
        assert!(Scopes::All.check(&wanted).is_ok());
    }
}
