//! A workload that needs nothing: it stands at the root too, and pages may call it. It answers with what
//! it learns of its caller.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path};
use docket_api_server::App;
use docket_platform::client_routes::ClientRoutes;
use docket_platform::error::Error;
use docket_platform::middleware::access::Access;
use docket_platform::middleware::auth::Caller;
use docket_platform::middleware::scope::Scope;
use docket_platform::problem::ProblemList;
use docket_platform::workload::{Workload, WorkloadScopes};
use http::Uri;
use serde_json::{Value, json};
use utoipa_axum::routes;

use super::{Tenancy, telemetry};

pub const READ: Scope = Scope("marks:read");
pub const WRITE: Scope = Scope("marks:write");

#[derive(Debug)]
struct Marks(Arc<Access>);

impl Workload for Marks {
    fn name(&self) -> &'static str {
        "marks"
    }

    fn description(&self) -> &'static str {
        "For tests"
    }

    fn scopes(&self) -> WorkloadScopes {
        WorkloadScopes {
            read: READ,
            admin: READ,
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn problems(&self) -> ProblemList {
        ProblemList {
            kinds: &[],
            descriptions: &[],
        }
    }

    fn routes(&self) -> ClientRoutes {
        ClientRoutes::new()
            .routes(READ.on(&self.0, routes!(list_marks)))
            .routes(WRITE.on_publishable(&self.0, routes!(make_mark)))
            .routes(READ.on(&self.0, routes!(get_mark)))
    }

    fn root_prefixes(&self) -> &'static [&'static str] {
        &["/api/v9", "/p9/api/v9"]
    }
}

/// What `caller` is taken for, by a request to `uri`.
fn told(caller: &Caller, uri: &Uri, original: &Uri, id: Option<u32>) -> Json<Value> {
    let user = caller.user.as_ref();
    Json(json!({
        "client": caller.client.name,
        "user": user.map(|user| json!({"issuer": user.issuer, "subject": user.subject})),
        "scopes": format!("{:?}", caller.scopes),
        "actor": caller.actor.0,
        "uri": uri.to_string(),
        "original_uri": original.to_string(),
        "id": id,
    }))
}

/// List marks
#[utoipa::path(get, path = "/marks", tag = "marks", responses((status = 200, body = Value)))]
async fn list_marks(caller: Caller, OriginalUri(original): OriginalUri, uri: Uri) -> Json<Value> {
    told(&caller, &uri, &original, None)
}

/// Make a mark
#[utoipa::path(post, path = "/marks", tag = "marks", responses((status = 200, body = Value)))]
async fn make_mark(
    caller: Caller,
    OriginalUri(original): OriginalUri,
    uri: Uri,
) -> Result<Json<Value>, Error> {
    tracing::info!(%uri, %original, "a handler that tells all that it sees");
    if uri.query() == Some("fail") {
        return Err(Error::Unprocessable("the mark cannot be made".into()));
    }
    assert_ne!(uri.query(), Some("panic"), "the handler is broken");
    Ok(told(&caller, &uri, &original, None))
}

/// Show a mark
#[utoipa::path(get, path = "/marks/{id}", tag = "marks", params(("id" = u32, Path)), responses((status = 200, body = Value)))]
async fn get_mark(
    caller: Caller,
    OriginalUri(original): OriginalUri,
    uri: Uri,
    path: Result<Path<HashMap<String, String>>, PathRejection>,
) -> Result<Json<Value>, Error> {
    let Path(path) = path?;
    Ok(told(&caller, &uri, &original, path["id"].parse().ok()))
}

/// An app with this workload and no other.
pub fn app(tenancy: &Tenancy, flags: &[&str]) -> Arc<App> {
    let (settings, tenant) = tenancy.loaded(flags);
    let registry = telemetry().registry().clone();
    let app = App::with_workloads(&settings, tenant, registry, |platform| {
        Ok(vec![Arc::new(Marks(platform.access.clone()))])
    });
    app.expect("an app")
}
