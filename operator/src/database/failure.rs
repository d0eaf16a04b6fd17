//! What a database error means to the person who reads the tenant's conditions.

use crate::conditions::ConditionType;
use crate::error::{Error, Problem};

/// The error as a problem of `DatabaseReady`; all of them may pass without a change of the spec.
pub(super) fn explain(error: sqlx::Error) -> Error {
    let (reason, advice) = match &error {
        sqlx::Error::Database(refused) => match refused.code().as_deref() {
            Some("28P01" | "28000") => (
                "AuthenticationFailed",
                "Check username and password in the Secret that spec.database.secretRef names.",
            ),
            Some("3D000") => (
                "DatabaseNotFound",
                "Create the database, or correct dbname in the Secret.",
            ),
            Some("42501") => (
                "PermissionDenied",
                "The user of the Secret needs CREATEROLE and CREATE on the database.",
            ),
            Some("25006") => ("DatabaseReadOnly", "Point the Secret at the primary."),
            Some("53300") => (
                "TooManyConnections",
                "Raise max_connections, or wait until connections are free.",
            ),
            _ => ("SqlFailed", "The operator tries again."),
        },
        _ => (
            "DatabaseUnavailable",
            "Check that host and port in the Secret are right and that the server runs; the operator tries again.",
        ),
    };
    Error::Transient(Problem::new(
        ConditionType::DatabaseReady,
        reason,
        format!("{advice} The database said: {error}"),
    ))
}
