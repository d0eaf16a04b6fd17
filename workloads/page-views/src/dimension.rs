//! What views are counted by.

/// What views are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dimension {
    Day,
    Path,
    Document,
    Referrer,
}

impl Dimension {
    /// The one of this name, as queries and the table have it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Day, Self::Path, Self::Document, Self::Referrer];
        all.into_iter().find(|it| it.as_str() == name)
    }

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Path => "path",
            Self::Document => "document",
            Self::Referrer => "referrer",
        }
    }
}
