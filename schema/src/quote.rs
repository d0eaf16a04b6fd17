//! Values inside SQL text, for statements that take no parameters (DDL, `DO`).

/// `value` as an SQL string literal.
pub(crate) fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// `name` as an SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_inside_a_value_cannot_end_it() {
        assert_eq!(literal("o'; DROP"), "'o''; DROP'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }
}
