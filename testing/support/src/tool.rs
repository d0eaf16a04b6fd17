//! Where the commands are that tests start.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The command `name`, from where `make tools` links it, or the `PATH`.
///
/// # Errors
/// It is in neither.
pub fn tool(name: &str) -> Result<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or(home);
    let linked = cache.map(|cache| cache.join("docket/bin"));
    first(linked.into_iter().chain(path()), name)
        .with_context(|| format!("{name} is missing: run `make tools control-plane-tools`"))
}

/// The Postgres command `name`: from `PG_BIN`, the `PATH`, or where Debian puts it.
///
/// # Errors
/// It is in none of them.
pub fn postgres_tool(name: &str) -> Result<PathBuf> {
    let named = std::env::var_os("PG_BIN").map(PathBuf::from);
    let debian = PathBuf::from("/usr/lib/postgresql/15/bin");
    first(named.into_iter().chain(path()).chain([debian]), name).context(
        "Postgres is missing: install postgresql-15, or set PG_BIN to the folder of initdb",
    )
}

fn path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

fn first(folders: impl Iterator<Item = PathBuf>, name: &str) -> Option<PathBuf> {
    folders
        .map(|folder| folder.join(name))
        .find(|binary| Path::exists(binary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_missing_is_named_with_what_brings_it() {
        let error = tool("no-such-command").expect_err("there is none");
        assert!(
            error.to_string().starts_with("no-such-command is missing"),
            "{error}"
        );
        assert!(tool("sh").expect("in the PATH").is_absolute());
    }
}
