//! `GET /clients/{client}/usage`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Counters;
use super::counter::Usage;
use crate::database::Database;
use crate::error::Error;
use crate::middleware::auth::Caller;

/// What is shown, and of whom.
#[derive(Clone, Debug)]
pub struct UsageState {
    pub(super) database: Arc<Database>,
    pub(super) counters: Vec<&'static Counters>,
}

/// What a client stores, and what it may.
#[derive(Debug, Serialize, ToSchema)]
pub struct Used {
    /// By what is counted, such as `bytes`.
    #[schema(example = json!({"bytes": 340}))]
    used: BTreeMap<&'static str, u64>,
    /// The most of each; null for no limit.
    #[schema(example = json!({"bytes": 1000}))]
    quota: BTreeMap<&'static str, Option<u64>>,
}

/// Show what is stored, and the quota
///
/// What was deleted counts until it is gone for good.
#[utoipa::path(
    get,
    path = "/usage",
    tag = "clients",
    responses((status = 200, description = "All that is counted", body = Used))
)]
#[tracing::instrument(name = "get_usage", skip_all, err(level = "debug"))]
pub async fn get_usage(
    State(state): State<UsageState>,
    Caller { client, .. }: Caller,
) -> Result<Json<Used>, Error> {
    let work = async {
        let mut connection = state.database.connection(&client).await?;
        Usage::read(&state.database, connection.as_mut()).await
    };
    let used = state.database.within_deadline(work).await?;
    let counters = || state.counters.iter().flat_map(|it| it.counters);
    // Until the next recount, more may have been taken away than was counted.
    let amount = |name: &str| u64::try_from(used.of(name)).unwrap_or_default();
    Ok(Json(Used {
        used: counters().map(|it| (it.name, amount(it.name))).collect(),
        quota: counters()
            .map(|it| (it.name, (it.limit)(&client)))
            .collect(),
    }))
}
