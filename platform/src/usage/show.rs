//! `GET /clients/{client}/usage`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Usage;
use crate::database::Database;
use crate::error::Error;
use crate::middleware::auth::Caller;

/// What a client stores, trash and old versions included.
#[derive(Debug, Serialize, ToSchema)]
pub struct Used {
    #[schema(minimum = 0)]
    documents: i64,
    #[schema(minimum = 0)]
    bytes: i64,
    quota: Most,
}

/// What it may store; null for no limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Most {
    #[schema(required)]
    documents: Option<u64>,
    #[schema(required)]
    bytes: Option<u64>,
}

/// Show what is stored, and the quota
///
/// Trash and old versions count until they are purged.
#[utoipa::path(
    get,
    path = "/usage",
    tag = "clients",
    responses((status = 200, description = "Documents and bytes", body = Used))
)]
#[tracing::instrument(name = "get_usage", skip_all, err(level = "debug"))]
pub async fn get_usage(
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
) -> Result<Json<Used>, Error> {
    let work = async {
        let mut connection = database.connection(&client).await?;
        Usage::read(&database, connection.as_mut()).await
    };
    let used = database.within_deadline(work).await?;
    Ok(Json(Used {
        // Until the next recount, more may have been taken away than was counted.
        documents: used.documents.max(0),
        bytes: used.bytes.max(0),
        quota: Most {
            documents: client.quota().documents,
            bytes: client.quota().bytes,
        },
    }))
}
