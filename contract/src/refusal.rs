//! Why a server does not delete what it would, until somebody looked at it: it says so in the client's schema,
//! and the operator says it to the user.

/// The reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The content belongs to another database or tenant.
    ContentOwnedByAnother,
    /// There is content, and nothing says whose it is.
    ContentOwnerUnknown,
    /// Far more content than usual has no document.
    TooMuchUnnamed,
}

impl Refusal {
    const ALL: [Self; 3] = [
        Self::ContentOwnedByAnother,
        Self::ContentOwnerUnknown,
        Self::TooMuchUnnamed,
    ];

    /// As the schema has it, and as a condition's reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentOwnedByAnother => "ContentOwnedByAnother",
            Self::ContentOwnerUnknown => "ContentOwnerUnknown",
            Self::TooMuchUnnamed => "TooMuchUnnamed",
        }
    }

    /// The reason that `word` stands for; `None` for that of another release.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_read_as_it_was_written() {
        for reason in Refusal::ALL {
            assert_eq!(Refusal::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Refusal::parse("OfAnotherRelease"), None);
    }
}
