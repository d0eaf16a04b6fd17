//! The audit log of a client.

use sqlx::{AssertSqlSafe, PgConnection};

/// `(action, version, actor)` of each entry about the document `id` of the client with this `schema`.
pub async fn entries(
    superuser: &mut PgConnection,
    schema: &str,
    id: i64,
) -> Vec<(String, i32, String)> {
    let sql = format!(
        "SELECT action, subject_version, actor FROM {schema}.audit_log \
         WHERE subject_kind = 'document' AND subject_id = $1::text ORDER BY id"
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(id)
        .fetch_all(superuser)
        .await
        .expect("entries")
}

/// The actions among them.
pub async fn actions(superuser: &mut PgConnection, schema: &str, id: i64) -> Vec<String> {
    let entries = entries(superuser, schema, id).await;
    entries.into_iter().map(|(action, ..)| action).collect()
}
