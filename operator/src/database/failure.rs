//! What a database error means to the person who reads the tenant's conditions.

use std::io::ErrorKind;
use std::time::Duration;

use docket_crds::ConditionType;
use sqlx::postgres::PgDatabaseError;
use sqlx::{ConnectOptions as _, PgPool};

use crate::error::{Error, Problem};

/// Lines of details that a sentence lists; a message of a condition is bounded.
const MOST_DETAILS: usize = 20;

/// The reason of what waited for a lock in vain.
pub const LOCKED: &str = "Locked";

/// The reason of what cannot be dropped.
pub const DEPENDENT_OBJECTS: &str = "DependentObjects";

/// Longest wait for the reason why no connection came about.
const DIAGNOSIS: Duration = Duration::from_secs(2);

/// Why there is no session.
#[derive(Debug)]
pub(super) enum NoSession {
    /// All are in use.
    Busy(Problem),
    /// There would be none for anybody.
    Unreachable(Problem),
    /// Others have their turn.
    Queued(Error),
}

impl From<NoSession> for Error {
    fn from(why: NoSession) -> Self {
        match why {
            NoSession::Busy(problem) | NoSession::Unreachable(problem) => Self::Transient(problem),
            NoSession::Queued(error) => error,
        }
    }
}

/// Why `pool` gave no session, when it said `error`.
pub(super) async fn no_session(pool: &PgPool, error: sqlx::Error) -> NoSession {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return NoSession::Unreachable(in_words(&error));
    }
    match why_no_connection(pool).await {
        Ok(()) => NoSession::Busy(in_words(&error)),
        Err(error) => NoSession::Unreachable(in_words(&error)),
    }
}

/// The error of work in a session as a problem of `DatabaseReady`; all of them may pass without a change
/// of the spec.
pub(super) fn explain(error: &sqlx::Error) -> Error {
    Error::Transient(in_words(error))
}

/// A database that is changed while it can only be read.
pub(super) fn read_only() -> Error {
    Error::Transient(problem(
        "DatabaseReadOnly",
        "The database takes no changes: point the Secret at the primary, or make it writable again; the operator \
         tries again."
            .to_owned(),
    ))
}

/// A pool tries until its time is up, and keeps to itself what it was told meanwhile.
async fn why_no_connection(pool: &PgPool) -> sqlx::Result<()> {
    let options = pool.connect_options();
    match tokio::time::timeout(DIAGNOSIS, options.connect()).await {
        Ok(attempt) => attempt.map(drop),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

pub(super) fn in_words(error: &sqlx::Error) -> Problem {
    let (reason, advice) = match error {
        sqlx::Error::Database(refused) => match refused.code().unwrap_or_default().as_ref() {
            "42501" => {
                let details = details(error).unwrap_or_default();
                not_permitted(&format!("{} ({details})", refused.message()))
            }
            code => of_code(code),
        },
        sqlx::Error::Tls(_) => (
            "TlsFailed",
            "Check sslmode in the Secret, and that the server's certificate is what that asks for.",
        ),
        sqlx::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => (
            "DatabaseUnavailable",
            "Nothing listens there: check that the server runs, and host and port in the Secret; the operator tries \
             again.",
        ),
        sqlx::Error::PoolTimedOut => (
            "DatabaseUnavailable",
            "It does not answer: check that the server runs and can be reached from here, and host and port in the \
             Secret; the operator tries again.",
        ),
        _ => (
            "DatabaseUnavailable",
            "Check that host and port in the Secret are right and that the server runs; the operator tries again.",
        ),
    };
    let details = details(error).map(|details| format!(" ({details})"));
    let details = details.unwrap_or_default();
    problem(
        reason,
        format!("{advice} The database said: {error}{details}"),
    )
}

/// What Postgres tells beside its sentence, such as the objects that depend on one.
fn details(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    let details = error.try_downcast_ref::<PgDatabaseError>()?.detail()?;
    let lines: Vec<&str> = details.lines().take(MOST_DETAILS + 1).collect();
    Some(match lines.get(MOST_DETAILS) {
        None => lines.join("; "),
        Some(_) => format!("{}; and more", lines[..MOST_DETAILS].join("; ")),
    })
}

/// By SQLSTATE (PostgreSQL, appendix A).
fn of_code(code: &str) -> (&'static str, &'static str) {
    match code {
        "28P01" | "28000" => (
            "AuthenticationFailed",
            "Check username and password in the Secret that spec.database.secretRef names.",
        ),
        "3D000" => (
            "DatabaseNotFound",
            "Create the database, or correct dbname in the Secret.",
        ),
        "25006" => (
            "DatabaseReadOnly",
            "The database takes no changes: point the Secret at the primary, or make it writable again.",
        ),
        "2BP01" => (
            DEPENDENT_OBJECTS,
            "Drop what depends on it, or move it elsewhere: what is not the client's does not go with it; the operator \
             tries again.",
        ),
        "55P03" => (
            LOCKED,
            "Somebody holds what this waits for, such as a transaction in one of the client's tables: end it, or revoke \
             the logins if nobody should be there; the operator tries again.",
        ),
        "53300" => (
            "TooManyConnections",
            "Raise max_connections, or the limit of the Secret's user, or end connections; the operator tries again.",
        ),
        "53100" => (
            "DiskFull",
            "Give the database room; the operator tries again.",
        ),
        "57P01" | "57P02" | "57P03" => (
            "DatabaseUnavailable",
            "The server starts, stops or recovers; the operator tries again.",
        ),
        _ => ("SqlFailed", "The operator tries again."),
    }
}

/// What the user of the Secret lacks, by what Postgres says of it in English: one code is for all of it.
fn not_permitted(message: &str) -> (&'static str, &'static str) {
    let is_about = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if is_about(&["for database"]) {
        return (
            "PermissionDenied",
            "The user of the Secret needs CREATE on the database: GRANT CREATE ON DATABASE … TO ….",
        );
    }
    if is_about(&["admin option", "ADMIN option"]) {
        return (
            "AdminOptionMissing",
            "The user of the Secret may not change a role of a client: as a superuser, GRANT it to the user WITH \
             ADMIN OPTION.",
        );
    }
    if is_about(&["to create role", "CREATEROLE"]) {
        return (
            "PermissionDenied",
            "The user of the Secret needs CREATEROLE: ALTER ROLE … CREATEROLE.",
        );
    }
    if is_about(&["must be owner", "for schema", "for table"]) {
        return (
            "NotTheOwner",
            "What another user made is not for the user of the Secret to change: as a superuser, REASSIGN OWNED BY \
             the one before TO the present one, in this database.",
        );
    }
    (
        "PermissionDenied",
        "The user of the Secret lacks a right; grant what the database names.",
    )
}

fn problem(reason: &'static str, message: String) -> Problem {
    Problem::new(ConditionType::DatabaseReady, reason, message)
}
