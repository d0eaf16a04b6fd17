//! While the server drains, each answer says that it is the last on its connection: a caller then
//! makes the next one, which leads elsewhere, before this server closes what is left.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::app::SharedApp;

const CLOSE: HeaderValue = HeaderValue::from_static("close");

pub(crate) async fn bid(State(app): SharedApp, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if app.is_draining() {
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    response
}
