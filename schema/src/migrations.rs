//! The versions of a client's schema: each workload's tables have versions of their own, and so have those
//! that all workloads share. See `migrations/README.md` for how to add one.

use sha2::{Digest as _, Sha256};

/// What the tables that all workloads share go by, beside the workloads.
pub const PLATFORM: &str = "platform";

/// What the rights of clients' roles go by among the versions.
pub(crate) const RIGHTS: &str = "rights";

/// Their version: it grows whenever a role gets others, so that roles that there are get them too.
pub(crate) const RIGHTS_VERSION: i32 = 1;

/// How the first line of a migration begins that Postgres refuses to run inside a transaction, as sqlx has it.
const NO_TRANSACTION: &str = "-- no-transaction";

/// One step of a workload's tables from a version to the next.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version that the tables have afterwards; versions count from 1 without a gap.
    pub version: i32,
    /// Its file's name without the ending, such as `0001_documents`.
    pub name: &'static str,
    /// Its statements, run with the client's schema as the `search_path`.
    pub sql: &'static str,
}

impl Migration {
    const fn new(name: &'static str, sql: &'static str) -> Self {
        let digits = name.as_bytes();
        let mut version = 0;
        let mut place = 0;
        while place < 4 {
            assert!(digits[place].is_ascii_digit(), "a file is NNNN_name.sql");
            version = version * 10 + (digits[place] - b'0') as i32;
            place += 1;
        }
        Self { version, name, sql }
    }

    /// Whether Postgres runs it inside a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        !self.sql.starts_with(NO_TRANSACTION)
    }

    /// Tells this file from what it was before somebody changed it: SHA-256.
    #[must_use]
    pub fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.sql).to_vec()
    }

    /// What does the same inside a transaction, while nobody uses the table yet.
    pub(crate) fn in_transaction(&self) -> String {
        match self.is_transactional() {
            true => self.sql.to_owned(),
            false => self.sql.replace(" CONCURRENTLY", ""),
        }
    }

    /// The index that a migration outside of transactions makes.
    pub(crate) fn index(&self) -> Option<&'static str> {
        let (_, rest) = self.sql.split_once("INDEX CONCURRENTLY IF NOT EXISTS ")?;
        rest.split_whitespace().next()
    }
}

/// The tables of one workload, and how they came about.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// As in `spec.workloads`, or [`PLATFORM`].
    pub name: &'static str,
    /// Folder of its files under `schema/migrations/`.
    pub folder: &'static str,
    /// Oldest first.
    pub migrations: &'static [Migration],
    /// Takes away all that the migrations made, the counters of what is stored among it.
    pub drop: &'static str,
    /// Tables of which a client's role may do less than read and write rows, and what it may do.
    pub rights: &'static [(&'static str, &'static str)],
    /// Table and condition of the rows that must not be deleted, whoever asks.
    pub held: Option<&'static str>,
}

impl Workload {
    /// The version that this build brings the tables to; its API server also serves the next one.
    #[must_use]
    pub const fn latest_version(&self) -> i32 {
        self.migrations[self.migrations.len() - 1].version
    }

    const fn with_rights(self, rights: &'static [(&'static str, &'static str)]) -> Self {
        Self { rights, ..self }
    }

    /// Path of the file of `migration`, from the repository.
    pub(crate) fn path(&self, migration: &Migration) -> String {
        format!("schema/migrations/{}/{}.sql", self.folder, migration.name)
    }
}

macro_rules! workload {
    ($name:expr, $folder:literal, [$($file:literal),+ $(,)?], $drop:expr, $held:expr) => {
        Workload {
            name: $name,
            folder: $folder,
            migrations: &[$(Migration::new(
                $file,
                include_str!(concat!("../migrations/", $folder, "/", $file, ".sql")),
            )),+],
            drop: $drop,
            rights: &[],
            held: $held,
        }
    };
    ($name:expr, $folder:literal, [$($file:literal),+ $(,)?], $held:expr) => {
        workload!($name, $folder, [$($file),+], include_str!(concat!("../migrations/", $folder, "/drop.sql")), $held)
    };
}

/// All that have tables, in the order in which these are made: one may refer to those before it.
pub const WORKLOADS: &[Workload] = &[
    workload!(
        PLATFORM,
        "platform",
        ["0001_shared_tables", "0002_refused_tasks"],
        "",
        None
    )
    .with_rights(&[
        // What was done cannot be undone by who did it.
        ("audit_log", "SELECT, INSERT"),
        ("usage", "SELECT, UPDATE"),
        ("maintenance_tasks", "SELECT, INSERT, UPDATE"),
        (crate::MIGRATIONS_TABLE, "SELECT"),
    ]),
    workload!(
        "documents",
        "documents",
        [
            "0001_documents",
            "0002_documents_by_tag",
            "0003_unnamed_content"
        ],
        Some("document_metadata WHERE legal_hold")
    ),
    workload!("pageViews", "page-views", ["0001_page_views"], None),
];

/// The tables of the workload `name`; none for one that stores nothing in a client's schema.
#[must_use]
pub fn workload(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

/// The version of the tables of the workload `name` in this build; 0 where it has none.
#[must_use]
pub fn latest_version(name: &str) -> i32 {
    workload(name).map_or(0, Workload::latest_version)
}

/// The tables that all share, and those of the workloads with these `names`.
pub(crate) fn of<'a>(names: &'a [&str]) -> impl Iterator<Item = &'static Workload> + 'a {
    let is_asked_for =
        |workload: &&Workload| workload.name == PLATFORM || names.contains(&workload.name);
    WORKLOADS.iter().filter(is_asked_for)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_each_workload_count_from_one_without_a_gap() {
        for workload in WORKLOADS {
            let versions = workload.migrations.iter().map(|it| it.version);
            let versions: Vec<i32> = versions.collect();
            let expected: Vec<i32> = (1..=workload.latest_version()).collect();
            assert_eq!(versions, expected, "{}", workload.name);
        }
    }

    #[test]
    fn every_file_below_the_folder_is_registered() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files = Vec::new();
        for folder in std::fs::read_dir(root).expect("migrations") {
            let folder = folder.expect("an entry").path();
            for file in folder
                .is_dir()
                .then(|| std::fs::read_dir(&folder).expect("a folder"))
                .into_iter()
                .flatten()
            {
                files.push(file.expect("an entry").path().display().to_string());
            }
        }
        for file in &files {
            let is_registered = |workload: &Workload| {
                let paths = workload.migrations.iter().map(|it| workload.path(it));
                let drop = format!("schema/migrations/{}/drop.sql", workload.folder);
                paths.chain([drop]).any(|path| file.ends_with(&path))
            };
            assert!(
                WORKLOADS.iter().any(is_registered),
                "{file} is in no workload's list"
            );
        }
    }

    #[test]
    fn what_runs_outside_of_transactions_makes_one_index_and_can_be_repeated() {
        let all = WORKLOADS.iter().flat_map(|workload| workload.migrations);
        let outside: Vec<&Migration> = all.filter(|it| !it.is_transactional()).collect();
        assert!(!outside.is_empty());
        for migration in outside {
            let lines = migration.sql.lines();
            let code: Vec<&str> = lines.filter(|it| !it.starts_with("--")).collect();
            // Several statements in one message are a transaction.
            let code = code.join("\n");
            assert_eq!(code.matches(';').count(), 1, "{}", migration.name);
            assert!(code.trim_end().ends_with(';'), "{}", migration.name);
            assert!(migration.index().is_some(), "{}", migration.name);
            assert!(!migration.in_transaction().contains("CONCURRENTLY"));
        }
    }

    #[test]
    fn what_all_share_is_there_whatever_runs() {
        let names = |asked: &[&str]| of(asked).map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(names(&[]), [PLATFORM]);
        assert_eq!(names(&["documents"]), [PLATFORM, "documents"]);
    }
}
