//! `POST …/page-views`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::peer::Peer;
use http::{HeaderMap, StatusCode, header};
use mime::Mime;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::recorder::{Recorder, ViewOutcome, Viewer};
use crate::view::{PageView, Reader};

/// Bytes of a body at most.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// Views of a body at most.
const MOST: usize = 1000;

/// Views that are told of at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageViews<'a> {
    /// All by the same visitor, now.
    #[schema(value_type = Vec<PageView>, min_items = 1, max_items = 1000)]
    #[serde(borrow)]
    views: Vec<&'a RawValue>,
}

/// What became of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recorded {
    /// One for each view, in their order.
    #[schema(min_items = 1, max_items = 1000)]
    outcomes: Vec<ViewOutcome>,
}

/// Tell of page views
///
/// Answered once what is `stored` is committed. A visitor is told from others of the same day by address and
/// user agent, of which nothing is kept. `navigator.sendBeacon` sends a text, which is taken as the same JSON.
#[utoipa::path(
    post,
    path = "/page-views",
    tag = "pageViews",
    request_body(content((PageViews = "application/json"), (PageViews = "text/plain"))),
    responses((status = 202, description = "What became of each view", body = Recorded))
)]
#[tracing::instrument(name = "record_page_views", skip_all, err(level = "debug"))]
pub(crate) async fn record_page_views(
    State(recorder): State<Arc<Recorder>>,
    State(reader): State<Arc<Reader>>,
    Caller { client, .. }: Caller,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let body = body.map_err(too_large)?;
    let views = parse(&headers, &body)?;
    let viewer = Viewer {
        address: Peer::address(peer.map(|Extension(peer)| peer), &headers),
        agent: agent(&headers),
    };
    let views = views.iter().map(|view| reader.read(view.get())).collect();
    let outcomes = recorder.record(&client, viewer, views).await?;
    Ok((StatusCode::ACCEPTED, Json(Recorded { outcomes })).into_response())
}

fn too_large(rejection: BytesRejection) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(MAX_BODY as u64),
        _ => rejection.into(),
    }
}

fn agent(headers: &HeaderMap) -> &[u8] {
    let agent = headers.get(header::USER_AGENT);
    agent.map(http::HeaderValue::as_bytes).unwrap_or_default()
}

/// # Errors
/// [`Error::UnsupportedMediaType`], [`Error::BadRequest`], [`Error::Unprocessable`].
fn parse<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Vec<&'a RawValue>, Error> {
    let sent = headers.get(header::CONTENT_TYPE);
    let sent: Option<Mime> = sent.and_then(|sent| sent.to_str().ok()?.parse().ok());
    let taken = [mime::APPLICATION_JSON, mime::TEXT_PLAIN];
    if !sent.is_some_and(|sent| {
        taken
            .iter()
            .any(|it| it.essence_str() == sent.essence_str())
    }) {
        let taken = "the body must be sent as application/json or text/plain";
        return Err(Error::UnsupportedMediaType(taken));
    }
    let no_json = || Error::BadRequest("the body is not JSON".to_owned());
    let body = str::from_utf8(body).map_err(|_| no_json())?;
    let refusal = || match serde_json::from_str::<IgnoredAny>(body) {
        Ok(_) => Error::Unprocessable(format!(
            "the body must be {{\"views\": […]}} with 1 to {MOST} views"
        )),
        Err(_) => no_json(),
    };
    let PageViews { views } = serde_json::from_str(body).map_err(|_| refusal())?;
    match (1..=MOST).contains(&views.len()) {
        true => Ok(views),
        false => Err(refusal()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parsed(media_type: &'static str, body: &str) -> Result<usize, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        let views = parse(&headers, body.as_bytes());
        let status = |error: Error| error.into_response().status().as_u16();
        views.map(|views| views.len()).map_err(status)
    }

    #[test]
    fn a_body_is_json_under_either_name_and_has_one_to_a_thousand_views() {
        let views = |count| format!("{{\"views\": [{}]}}", vec!["0"; count].join(","));
        for (media_type, body, expected) in [
            ("application/json", views(1), Ok(1)),
            ("text/plain;charset=UTF-8", views(1000), Ok(1000)),
            ("Application/JSON", views(2), Ok(2)),
            ("text/html", views(1), Err(415)),
            ("application/json", views(0), Err(422)),
            ("application/json", views(1001), Err(422)),
            ("application/json", "[]".into(), Err(422)),
            (
                "application/json",
                "{\"views\": [0], \"a\": 1}".into(),
                Err(422),
            ),
            ("text/plain", "views".into(), Err(400)),
            ("text/plain", "[] views".into(), Err(400)),
        ] {
            assert_eq!(parsed(media_type, &body), expected, "{media_type} {body}");
        }
    }
}
