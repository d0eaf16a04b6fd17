//! What a statement is called, whatever names and numbers stand in it.

use std::collections::HashMap;

use super::message::{BIND, Message, PARSE, QUERY};

/// What a text has in it, and what it is called then; the first that fits.
const NAMES: [(&str, &str); 14] = [
    // Asked by the clock, as Leases are renewed: part of no scenario.
    ("SELECT current_setting('transaction_read_only')", ""),
    ("ROLLBACK;", "rehearse"),
    ("DROP SCHEMA", "delete"),
    ("DROP ROLE", "delete roles"),
    ("DROP TABLE", "drop workload"),
    ("retained_at = now()", "retain"),
    ("rolvaliduntil <=", "end sessions"),
    ("NOLOGIN VALID", "retire"),
    ("NOLOGIN", "shut out"),
    ("CREATE ROLE", "provision"),
    ("CREATE SCHEMA IF NOT EXISTS docket;", "make registry"),
    ("to_regclass", "find registry"),
    ("unnest($1", "inspect"),
    ("schema_migrations", "read versions"),
];

/// The name of what the client asks for with these messages; none for what is no statement.
pub(super) fn name(unit: &[Message], prepared: &mut HashMap<Vec<u8>, String>) -> Option<String> {
    let mut name = None;
    for message in unit {
        let mut strings = message.strings();
        match message.kind {
            QUERY => name = strings.next().map(of),
            PARSE => {
                let statement = strings.next().unwrap_or_default();
                let text = of(strings.next().unwrap_or_default());
                prepared.insert(statement.to_vec(), text.clone());
                name = (!text.is_empty()).then(|| format!("prepare {text}"));
            }
            BIND => {
                let statement = strings.nth(1).unwrap_or_default();
                name = prepared.get(statement).cloned();
            }
            _ => {}
        }
    }
    name.filter(|name| !name.is_empty())
}

fn of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let known = NAMES.iter().find(|(part, _)| text.contains(part));
    if let Some((_, name)) = known {
        return (*name).to_owned();
    }
    // Past the comment that carries the trace.
    let text = text.rsplit("*/").next().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().take(4).collect();
    words.join(" ")
}

/// Statements after which what is stored is as before, or as after the first of them.
const CHANGE_NOTHING: [&str; 5] = [
    "find registry",
    "inspect",
    "read versions",
    "rehearse",
    // Sessions that it ended may have come again before the login went, which nothing tells: so it is always first.
    "shut out",
];

/// Whether a statement of that name changes what is stored.
pub(super) fn changes(name: &str) -> bool {
    !name.starts_with("prepare ") && !CHANGE_NOTHING.contains(&name) && !name.starts_with("SELECT")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Message {
        let mut bytes = vec![kind, 0, 0, 0, 0];
        bytes.extend_from_slice(body);
        Message { kind, bytes }
    }

    #[test]
    fn a_script_is_named_by_what_it_does() {
        let mut prepared = HashMap::new();
        let unit = [message(
            QUERY,
            b"/*traceparent='00-1'*/ BEGIN; CREATE ROLE x; COMMIT;\0",
        )];
        assert_eq!(name(&unit, &mut prepared).as_deref(), Some("provision"));
        let unit = [message(QUERY, b"/*traceparent='00-1'*/ SELECT 1 + 2 + 3\0")];
        assert_eq!(name(&unit, &mut prepared).as_deref(), Some("SELECT 1 + 2"));
        assert!(changes("provision") && !changes("SELECT 1 + 2"));
    }

    #[test]
    fn the_question_whether_a_database_can_be_used_has_no_name() {
        let mut prepared = HashMap::new();
        let asked = b"s1\0SELECT current_setting('transaction_read_only')::bool\0";
        assert_eq!(name(&[message(PARSE, asked)], &mut prepared), None);
        let bind = [message(BIND, b"\0s1\0\0\0")];
        assert_eq!(name(&bind, &mut prepared), None);
    }

    #[test]
    fn a_prepared_statement_keeps_its_name() {
        let mut prepared = HashMap::new();
        let parse = [message(PARSE, b"s1\0SELECT to_regclass('x')\0")];
        let prepare = name(&parse, &mut prepared);
        assert_eq!(prepare.as_deref(), Some("prepare find registry"));
        let bind = [message(BIND, b"\0s1\0\0\0")];
        let run = name(&bind, &mut prepared);
        assert_eq!(run.as_deref(), Some("find registry"));
        let nothing = name(&[message(b'S', b"")], &mut prepared);
        assert_eq!(nothing, None);
    }
}
