//! The table `document_text` of one client.

pub(crate) const TABLE: &str = "document_text";

/// What a search looks through: the words of a name, of a summary and of a text, by these parameters.
macro_rules! search_sql {
    ($name:literal, $summary:literal, $text:literal) => {
        concat!(
            "setweight(to_tsvector('english', ",
            $name,
            "), 'A') || setweight(to_tsvector('english', ",
            $summary,
            "), 'B') || setweight(to_tsvector('english', ",
            $text,
            "), 'C')",
        )
    };
}

pub(crate) use search_sql;
