//! Whose content is under a client's prefix of a bucket, as an object there says: what a copy of a database
//! cannot bring along.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of the object below the prefix; no content has such a name.
pub const OWNER_OBJECT: &str = ".owner";

/// What asks to take over content that has no owner, in place of one.
pub const NOBODY: &str = "nobody";

/// A database and a tenant: only together do they know what of the content is still needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ContentOwner {
    /// The database, as itself says: a copy of its rows elsewhere says something else.
    pub database: String,
    /// Uid of the tenant.
    pub tenant_uid: String,
    /// How often it was taken over: who names an owner to take over from names one that was, once.
    #[serde(default)]
    pub turn: u32,
    /// Its tenant let go of it and kept the data.
    #[serde(default)]
    pub retained: bool,
}

/// Whose the content is that somebody is about to delete from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Who asks.
    Ours,
    /// Nobody's yet.
    Nobodys,
    /// Who asks may have it, and is then this.
    TakenOver(ContentOwner),
    /// Somebody else.
    Theirs(ContentOwner),
}

impl ContentOwner {
    /// The tenant with the uid `tenant_uid`, on `database`.
    #[must_use]
    pub fn new(database: &str, tenant_uid: &str) -> Self {
        Self {
            database: database.to_owned(),
            tenant_uid: tenant_uid.to_owned(),
            turn: 0,
            retained: false,
        }
    }

    /// Whose the content is of which `marker` says who has it, if this one asks, who may take over from those
    /// in `take_over`.
    #[must_use]
    pub fn ask(&self, marker: Option<&Self>, take_over: &[String]) -> Ownership {
        let asks_for = |name: &str| take_over.iter().any(|asked| asked == name);
        let Some(owner) = marker else {
            return match asks_for(NOBODY) {
                true => Ownership::TakenOver(self.clone()),
                false => Ownership::Nobodys,
            };
        };
        let is_same = self.database == owner.database && self.tenant_uid == owner.tenant_uid;
        if is_same && !owner.retained {
            return Ownership::Ours;
        }
        let is_let_go = owner.retained && self.database == owner.database;
        match is_let_go || asks_for(&owner.to_string()) {
            true => Ownership::TakenOver(Self {
                turn: owner.turn.saturating_add(1),
                ..self.clone()
            }),
            false => Ownership::Theirs(owner.clone()),
        }
    }

    /// The same owner, who keeps the data and lets go of it.
    #[must_use]
    pub fn letting_go(&self) -> Self {
        Self {
            retained: true,
            ..self.clone()
        }
    }

    /// What the object holds.
    ///
    /// # Errors
    /// It holds something else: then it is not known whose the content is.
    pub fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// As the object holds it.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers serialize")
    }
}

/// As who takes over names it.
impl fmt::Display for ContentOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.database, self.tenant_uid, self.turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &[String] = &[];

    fn taken(owner: &ContentOwner, turn: u32) -> Ownership {
        Ownership::TakenOver(ContentOwner {
            turn,
            ..owner.clone()
        })
    }

    #[test]
    fn content_is_of_the_database_and_the_tenant_that_stored_it_and_of_no_copy() {
        let original = ContentOwner::new("7412-5", "u");
        assert_eq!(original.ask(Some(&original), NONE), Ownership::Ours);
        assert_eq!(original.ask(None, NONE), Ownership::Nobodys);
        for copy in [
            ContentOwner::new("9999-5", "u"),
            ContentOwner::new("7412-6", "u"),
            ContentOwner::new("7412-5", "another"),
        ] {
            let theirs = Ownership::Theirs(original.clone());
            assert_eq!(copy.ask(Some(&original), NONE), theirs, "{copy}");
        }
    }

    #[test]
    fn what_was_let_go_is_taken_by_who_adopts_it_in_the_same_database() {
        let before = ContentOwner::new("7412-5", "u").letting_go();
        let adopting = ContentOwner::new("7412-5", "another");
        assert_eq!(adopting.ask(Some(&before), NONE), taken(&adopting, 1));
        let again = ContentOwner::new("7412-5", "u");
        assert_eq!(again.ask(Some(&before), NONE), taken(&again, 1));
        let elsewhere = ContentOwner::new("9999-5", "another");
        assert_eq!(
            elsewhere.ask(Some(&before), NONE),
            Ownership::Theirs(before)
        );
    }

    #[test]
    fn who_takes_over_names_the_owner_and_cannot_do_so_again_once_it_was_taken_back() {
        let (original, copy) = (
            ContentOwner::new("7412-5", "u"),
            ContentOwner::new("9999-5", "v"),
        );
        let from_original = [original.to_string()];
        let Ownership::TakenOver(now) = copy.ask(Some(&original), &from_original) else {
            panic!("it is asked for");
        };
        assert_eq!(
            original.ask(Some(&now), NONE),
            Ownership::Theirs(now.clone())
        );
        let Ownership::TakenOver(back) = original.ask(Some(&now), &[now.to_string()]) else {
            panic!("it is asked for");
        };
        let theirs = Ownership::Theirs(back.clone());
        assert_eq!(copy.ask(Some(&back), &from_original), theirs);
        assert_eq!(original.ask(Some(&back), NONE), Ownership::Ours);
        let nobodys = [NOBODY.to_owned()];
        assert_eq!(copy.ask(None, &nobodys), taken(&copy, 0));
        assert_eq!(copy.ask(Some(&back), &nobodys), theirs);
    }

    #[test]
    fn an_owner_is_read_as_it_was_written_and_anything_else_is_none() {
        let owner = ContentOwner::new("7412-5", "u");
        let read = ContentOwner::parse(owner.text().as_bytes());
        assert_eq!(read.expect("an owner"), owner);
        assert!(ContentOwner::parse(b"").is_err());
        assert!(ContentOwner::parse(b"{}").is_err());
    }
}
