//! Which credentials a rotation is of.

use docket_crds::annotations::{
    REVOKE, REVOKED_FOR, ROTATE, ROTATE_API_KEYS, ROTATE_SIGNING_KEYS, ROTATED_FOR,
};

use crate::arguments::Rotate;

/// What is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub logins: bool,
    /// The logins before end at once.
    pub revoke: bool,
    pub api_keys: bool,
    pub signing_keys: bool,
}

impl Chosen {
    /// What the arguments name; else what every tenant has, and is over within minutes.
    pub(super) fn read(wanted: &Rotate) -> Self {
        let logins = wanted.logins || wanted.revoke;
        let all = !(logins || wanted.api_keys || wanted.signing_keys);
        Self {
            logins: all || logins,
            revoke: wanted.revoke,
            api_keys: all || wanted.api_keys,
            signing_keys: wanted.signing_keys,
        }
    }

    /// The annotations that ask for it.
    pub(super) fn annotations(self) -> Vec<&'static str> {
        let of_logins = if self.revoke { REVOKE } else { ROTATE };
        self.of([of_logins, ROTATE_API_KEYS, ROTATE_SIGNING_KEYS])
    }

    /// The annotation of the Secret of logins that notes it.
    pub(super) fn noted(self) -> &'static str {
        if self.revoke {
            REVOKED_FOR
        } else {
            ROTATED_FOR
        }
    }

    /// As a sentence names it.
    pub(super) fn spoken(self) -> String {
        let named = self.of(["the logins", "the API keys", "the signing keys"]);
        match named.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// What is there of each, of what is chosen.
    fn of<T>(self, [logins, api_keys, signing_keys]: [T; 3]) -> Vec<T> {
        let all = [
            (self.logins, logins),
            (self.api_keys, api_keys),
            (self.signing_keys, signing_keys),
        ];
        let chosen = all.into_iter().filter(|(is_chosen, _)| *is_chosen);
        chosen.map(|(_, it)| it).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};

    fn chosen(line: &str) -> Chosen {
        let words = format!("docketctl rotate acme {line}");
        let words = words.split_whitespace().map(Into::into);
        match Arguments::read("docketctl", words).expect(line).command {
            Command::Rotate(wanted) => Chosen::read(&wanted),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_named_is_rotated_and_else_what_every_tenant_has() {
        for (line, annotations, spoken) in [
            (
                "",
                &[ROTATE, ROTATE_API_KEYS][..],
                "the logins and the API keys",
            ),
            ("--logins", &[ROTATE], "the logins"),
            ("--revoke", &[REVOKE], "the logins"),
            ("--api-keys", &[ROTATE_API_KEYS], "the API keys"),
            ("--signing-keys", &[ROTATE_SIGNING_KEYS], "the signing keys"),
            (
                "--logins --api-keys --signing-keys",
                &[ROTATE, ROTATE_API_KEYS, ROTATE_SIGNING_KEYS],
                "the logins, the API keys and the signing keys",
            ),
        ] {
            let chosen = chosen(line);
            assert_eq!(chosen.annotations(), annotations, "{line}");
            assert_eq!(chosen.spoken(), spoken, "{line}");
        }
    }
}
