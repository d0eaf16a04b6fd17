//! `memory_working_set_bytes`, `memory_limit_bytes`: what the kernel counts of this container, and what it
//! lets it have.

use std::path::{Path, PathBuf};

/// Where the kernel shows a container its own cgroup.
const CGROUP: &str = "/sys/fs/cgroup";

/// Both versions of cgroups: where the numbers are, and what the file pages that nobody used lately are
/// called.
const VERSIONS: [Version; 2] = [
    Version {
        folder: "",
        usage: "memory.current",
        limit: "memory.max",
        inactive: "inactive_file",
    },
    Version {
        folder: "memory",
        usage: "memory.usage_in_bytes",
        limit: "memory.limit_in_bytes",
        inactive: "total_inactive_file",
    },
];

struct Version {
    folder: &'static str,
    usage: &'static str,
    limit: &'static str,
    inactive: &'static str,
}

/// Bytes of a cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Memory {
    /// What cannot be taken away without harm; the kubelet reckons so, too.
    working_set: u64,
    limit: u64,
}

/// Observes both for as long as the process lives; nothing is shown where there is no limit.
pub fn observe() {
    let meter = opentelemetry::global::meter("docket");
    let gauge = |name, what, of: fn(Memory) -> u64| {
        meter
            .u64_observable_gauge(name)
            .with_description(what)
            .with_callback(move |gauge| {
                if let Some(memory) = read(Path::new(CGROUP)) {
                    gauge.observe(of(memory), &[]);
                }
            })
            .build();
    };
    gauge(
        "memory_working_set_bytes",
        "Memory of the container that the kernel could not take back",
        |memory| memory.working_set,
    );
    gauge(
        "memory_limit_bytes",
        "Memory that the container may have",
        |memory| memory.limit,
    );
}

fn read(cgroup: &Path) -> Option<Memory> {
    VERSIONS.iter().find_map(|version| {
        let folder: PathBuf = cgroup.join(version.folder);
        let text = |name| std::fs::read_to_string(folder.join(name)).ok();
        let number = |name| text(name)?.trim().parse::<u64>().ok();
        let stat = text("memory.stat")?;
        let inactive = stat.lines().find_map(|line| {
            let (name, value) = line.split_once(' ')?;
            (name == version.inactive).then(|| value.parse::<u64>().ok())?
        })?;
        Some(Memory {
            working_set: number(version.usage)?.saturating_sub(inactive),
            limit: number(version.limit).filter(|limit| *limit < u64::MAX / 4)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cgroup with these files.
    fn cgroup(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        }
        folder
    }

    #[test]
    fn both_versions_of_cgroups_are_understood() {
        let expected = Some(Memory {
            working_set: 60,
            limit: 100,
        });
        let second = cgroup(&[
            ("memory.current", "70\n"),
            ("memory.max", "100\n"),
            ("memory.stat", "anon 50\ninactive_file 10\nactive_file 10\n"),
        ]);
        assert_eq!(read(second.path()), expected);
        let first = cgroup(&[
            ("memory/memory.usage_in_bytes", "70\n"),
            ("memory/memory.limit_in_bytes", "100\n"),
            (
                "memory/memory.stat",
                "inactive_file 3\ntotal_inactive_file 10\n",
            ),
        ]);
        assert_eq!(read(first.path()), expected);
    }

    #[test]
    fn without_a_limit_there_is_nothing_to_come_near_to() {
        let stat = ("memory.stat", "inactive_file 0\n");
        let unbounded = cgroup(&[("memory.current", "7\n"), ("memory.max", "max\n"), stat]);
        assert_eq!(read(unbounded.path()), None);
        assert_eq!(read(cgroup(&[]).path()), None);
    }
}
