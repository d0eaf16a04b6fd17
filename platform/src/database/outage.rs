//! Which errors mean that the database is away, and not that we asked for nonsense.

/// Whether the same request may succeed once the database is back.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_outage_code(&code)),
        _ => false,
    }
}

/// By SQLSTATE: connection exceptions (08), a server that takes no changes, such as a standby (25006), refused
/// logins (28, 3D: a password or a database is being changed), what gave way to others (40001, 40P01), no
/// resources (53), a lock that others hold (55P03), a cancelled statement (57014), a shutdown (57P), a broken
/// disk (58).
fn is_outage_code(code: &str) -> bool {
    const CLASSES: [&str; 6] = ["08", "28", "3D", "53", "57P", "58"];
    const CODES: [&str; 5] = ["25006", "40001", "40P01", "55P03", "57014"];
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_full_or_stopping_is_an_outage() {
        for code in [
            "53300", "57P01", "57P03", "57014", "08006", "28P01", "25006", "40001", "40P01",
            "55P03", "58030",
        ] {
            assert!(is_outage_code(code), "{code}");
        }
    }

    #[test]
    fn a_mistake_of_ours_is_not() {
        for code in [
            "42501", "42P01", "42601", "23505", "22001", "25001", "40002", "55006",
        ] {
            assert!(!is_outage_code(code), "{code}");
        }
        assert!(!is_outage(&sqlx::Error::RowNotFound));
    }
}
