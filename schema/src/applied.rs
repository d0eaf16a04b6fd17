//! Which migrations a client's schema has had, and what follows from that.

use std::collections::BTreeMap;
use std::fmt;

use crate::migrations::{Migration, RIGHTS, RIGHTS_VERSION, WORKLOADS, Workload, of};
use crate::quote::{identifier, literal};

/// Table in each client's schema that says which migrations it has had.
pub const MIGRATIONS_TABLE: &str = "schema_migrations";

/// The migrations that a schema has had, of each workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied(BTreeMap<String, BTreeMap<i32, Vec<u8>>>);

/// What keeps a schema from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A migration that it has had was another one then.
    Changed {
        /// Path of its file in the repository.
        file: String,
    },
    /// It has had migrations that this build does not know.
    Newer {
        /// Of this workload.
        workload: &'static str,
        /// Version of the tables.
        version: i32,
        /// The version that this build knows.
        latest: i32,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { file } => write!(
                f,
                "the migration {file} is not the one that it has had; run the operator of the release that made it, or \
                 put the file back as it was and add what is new as a migration of its own"
            ),
            Self::Newer {
                workload,
                version,
                latest,
            } => write!(
                f,
                "its tables of {workload} are at version {version} and this operator knows {latest}; upgrade the operator"
            ),
        }
    }
}

impl Applied {
    /// All that a new schema of the workloads `names` has had.
    #[must_use]
    pub fn all(names: &[&str]) -> Self {
        let mut all = Self::default();
        for workload in of(names) {
            for migration in workload.migrations {
                all.add(workload.name, migration.version, migration.checksum());
            }
        }
        all.with_rights()
    }

    /// The client's role has the rights of this build.
    fn with_rights(mut self) -> Self {
        self.add(RIGHTS, RIGHTS_VERSION, Vec::new());
        self
    }

    /// It has had the migration to `version` of `workload`, from the file with this `checksum`.
    pub fn add(&mut self, workload: &str, version: i32, checksum: Vec<u8>) {
        let of_workload = self.0.entry(workload.to_owned()).or_default();
        of_workload.insert(version, checksum);
    }

    /// The version of the tables of `workload`; 0 where there are none.
    #[must_use]
    pub fn version(&self, workload: &str) -> i32 {
        let of_workload = self.0.get(workload).and_then(BTreeMap::last_key_value);
        of_workload.map_or(0, |(version, _)| *version)
    }

    /// Those of the workloads that this build knows and that have tables here, but are none of `names`.
    pub fn beside<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'static str> + 'a {
        let is_beside = |workload: &&Workload| {
            !of(names).any(|it| it.name == workload.name) && self.version(workload.name) > 0
        };
        WORKLOADS.iter().filter(is_beside).map(|it| it.name)
    }

    /// Whether the tables that the workloads `names` need are as this build has them, and the role's rights on them
    /// are at least as new.
    #[must_use]
    pub fn is_current(&self, names: &[&str]) -> bool {
        let are_current = of(names).all(|it| self.version(it.name) == it.latest_version());
        are_current && self.version(RIGHTS) >= RIGHTS_VERSION
    }

    /// What keeps the tables of the workloads `names` from being used, if anything does.
    #[must_use]
    pub fn conflict(&self, names: &[&str]) -> Option<Conflict> {
        of(names).find_map(|workload| self.conflict_of(workload))
    }

    fn conflict_of(&self, workload: &Workload) -> Option<Conflict> {
        let (version, latest) = (self.version(workload.name), workload.latest_version());
        if version > latest {
            return Some(Conflict::Newer {
                workload: workload.name,
                version,
                latest,
            });
        }
        let had = self.0.get(workload.name)?;
        let is_changed = |migration: &&Migration| {
            let checksum = had.get(&migration.version);
            checksum.is_some_and(|checksum| *checksum != migration.checksum())
        };
        let changed = workload.migrations.iter().find(is_changed)?;
        Some(Conflict::Changed {
            file: workload.path(changed),
        })
    }

    /// What is still to be done for the workloads `names` in one transaction. Before a migration that runs
    /// outside of it on tables that are in use, it ends.
    pub(crate) fn in_transaction(
        &self,
        names: &[&str],
    ) -> Vec<(&'static Workload, &'static Migration)> {
        let of_one = |workload: &'static Workload| {
            let version = self.version(workload.name);
            let later = workload.migrations.iter();
            let later = later.filter(move |it| it.version > version);
            let inside = later.take_while(move |it| version == 0 || it.is_transactional());
            inside.map(move |it| (workload, it))
        };
        of(names).flat_map(of_one).collect()
    }

    /// What the schema has had after the transaction for the workloads `names`.
    #[must_use]
    pub fn after_transaction(mut self, names: &[&str]) -> Self {
        for (workload, migration) in self.in_transaction(names) {
            self.add(workload.name, migration.version, migration.checksum());
        }
        self.with_rights()
    }

    /// The migration outside of transactions that is next for the workloads `names`, once the transaction
    /// was committed.
    #[must_use]
    pub fn outside(&self, names: &[&str]) -> Option<Outside> {
        of(names).find_map(|workload| {
            let version = self.version(workload.name);
            let next = workload.migrations.iter().find(|it| it.version > version)?;
            (!next.is_transactional()).then_some(Outside {
                workload,
                migration: next,
            })
        })
    }
}

/// A migration that runs outside of transactions.
#[derive(Clone, Copy, Debug)]
pub struct Outside {
    pub(crate) workload: &'static Workload,
    pub(crate) migration: &'static Migration,
}

impl Outside {
    /// Notes in `applied` that it was done.
    #[must_use]
    pub fn done(self, mut applied: Applied) -> Applied {
        let (workload, migration) = (self.workload, self.migration);
        applied.add(workload.name, migration.version, migration.checksum());
        applied
    }

    /// Path of its file in the repository.
    #[must_use]
    pub fn file(self) -> String {
        self.workload.path(self.migration)
    }
}

/// Query for what `schemas`, all of which exist, have had, and for what servers refuse to do in them: rows of `(schema
/// text, workload text, version int, checksum bytea, refused text, because text)`, of which the last two or the three
/// before are null. Tables from before a server wrote down what it refuses are read as well.
///
/// `None` when there is nothing to ask.
#[must_use]
pub fn read_schemas(schemas: &[&str]) -> Option<String> {
    let queries: Vec<String> = schemas
        .iter()
        .map(|schema| {
            format!(
                "SELECT {name}::text AS schema, workload, version, checksum, NULL::text AS refused, NULL::text AS because \
                 FROM {schema}.{MIGRATIONS_TABLE} \
                 UNION ALL SELECT {name}, NULL, NULL, NULL, task ->> 'refused', task ->> 'refused_because' \
                 FROM {schema}.maintenance_tasks AS known, to_jsonb(known) AS task WHERE task ->> 'refused' IS NOT NULL",
                name = literal(schema),
                schema = identifier(schema),
            )
        })
        .collect();
    (!queries.is_empty()).then(|| queries.join(" UNION ALL "))
}

/// The row of [`MIGRATIONS_TABLE`] of `migration`, as an INSERT.
pub(crate) fn insert(workload: &Workload, migration: &Migration) -> String {
    format!(
        "INSERT INTO {MIGRATIONS_TABLE} (workload, version, name, checksum) VALUES ({}, {}, {}, '\\x{}');\n",
        literal(workload.name),
        migration.version,
        literal(migration.name),
        hex::encode(migration.checksum()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::{PLATFORM, latest_version, workload};

    const DOCUMENTS: &[&str] = &["documents"];

    /// A schema whose documents are at `version`.
    fn at(version: i32) -> Applied {
        let mut applied = Applied::all(&[]);
        let documents = workload("documents").expect("documents");
        for migration in documents
            .migrations
            .iter()
            .filter(|it| it.version <= version)
        {
            applied.add("documents", migration.version, migration.checksum());
        }
        applied
    }

    fn names(migrations: &[(&Workload, &Migration)]) -> Vec<&'static str> {
        migrations.iter().map(|(_, it)| it.name).collect()
    }

    #[test]
    fn a_new_schema_has_all_in_one_transaction() {
        let new = Applied::default();
        let inside = names(&new.in_transaction(DOCUMENTS));
        assert_eq!(
            inside,
            [
                "0001_shared_tables",
                "0002_refused_tasks",
                "0001_documents",
                "0002_documents_by_tag",
                "0003_unnamed_content"
            ]
        );
        let after = new.after_transaction(DOCUMENTS);
        assert_eq!(after, Applied::all(DOCUMENTS));
        assert!(after.is_current(DOCUMENTS) && after.outside(DOCUMENTS).is_none());
    }

    #[test]
    fn a_workload_that_is_added_later_brings_its_own_tables_only() {
        let without = Applied::all(&[]);
        assert!(without.is_current(&[]) && !without.is_current(DOCUMENTS));
        let inside = names(&without.in_transaction(DOCUMENTS));
        assert_eq!(
            inside,
            [
                "0001_documents",
                "0002_documents_by_tag",
                "0003_unnamed_content"
            ]
        );
    }

    #[test]
    fn an_index_of_a_table_in_use_is_made_outside_of_the_transaction() {
        let before = at(1);
        assert_eq!(names(&before.in_transaction(DOCUMENTS)), [""; 0]);
        let outside = before.outside(DOCUMENTS).expect("a migration");
        assert_eq!(outside.migration.name, "0002_documents_by_tag");
        let done = outside.done(before).after_transaction(DOCUMENTS);
        assert_eq!(done, Applied::all(DOCUMENTS));
    }

    #[test]
    fn a_role_with_the_rights_of_an_older_build_is_not_current() {
        let mut older = Applied::all(DOCUMENTS);
        older.0.remove(RIGHTS);
        assert!(!older.is_current(DOCUMENTS));
        let after = older.after_transaction(DOCUMENTS);
        assert!(after.is_current(DOCUMENTS));
    }

    #[test]
    fn a_file_that_was_changed_is_named_and_only_to_those_who_use_it() {
        let mut changed = Applied::all(DOCUMENTS);
        changed.add("documents", 1, b"another".to_vec());
        let conflict = changed.conflict(DOCUMENTS).expect("a conflict");
        let file = "schema/migrations/documents/0001_documents.sql";
        assert!(conflict.to_string().contains(file), "{conflict}");
        assert_eq!(changed.conflict(&[]), None);
        assert_eq!(Applied::all(DOCUMENTS).conflict(DOCUMENTS), None);
        assert_eq!(Applied::default().conflict(DOCUMENTS), None);
    }

    #[test]
    fn tables_of_a_newer_build_are_left_alone() {
        let mut newer = Applied::all(DOCUMENTS);
        newer.add(PLATFORM, latest_version(PLATFORM) + 1, Vec::new());
        assert!(matches!(
            newer.conflict(DOCUMENTS),
            Some(Conflict::Newer { .. })
        ));
    }

    #[test]
    fn what_no_workload_of_the_tenant_needs_is_known() {
        let beside = |names: &[&str]| Applied::all(DOCUMENTS).beside(names).collect::<Vec<_>>();
        assert_eq!(beside(DOCUMENTS), [""; 0]);
        assert_eq!(beside(&[]), ["documents"]);
        assert_eq!(Applied::all(&[]).beside(&[]).count(), 0);
    }

    #[test]
    fn all_schemas_are_read_with_one_query() {
        assert_eq!(read_schemas(&[]), None);
        insta::assert_snapshot!(read_schemas(&["a_b_1", "a_c_2"]).expect("a query"));
    }
}
