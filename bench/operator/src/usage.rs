//! What processes have used, read from /proc (proc(5)).

use std::collections::BTreeMap;
use std::time::Duration;

/// `USER_HZ`, the same on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time by command, the children of a process included.
#[derive(Clone, Debug, Default)]
pub struct Usage(BTreeMap<String, f64>);

/// One line of /proc/<pid>/stat.
struct Stat {
    command: String,
    parent: u32,
    /// Seconds of its own.
    own: f64,
    /// Seconds of children that have ended.
    ended: f64,
}

impl Usage {
    /// What `processes` have used so far.
    pub fn of(processes: &[u32]) -> Self {
        let mut children: BTreeMap<u32, f64> = BTreeMap::new();
        for stat in all() {
            *children.entry(stat.parent).or_default() += stat.own + stat.ended;
        }
        let mut used = BTreeMap::new();
        let ourselves = std::process::id();
        for &id in processes {
            let Some(stat) = read(id) else { continue };
            // Those of ours are told one by one.
            let below = match id == ourselves {
                true => 0.0,
                false => stat.ended + children.get(&id).copied().unwrap_or_default(),
            };
            *used.entry(name(&stat.command, id)).or_default() += stat.own + below;
        }
        Self(used)
    }

    /// What was used since `before`, in seconds, by command; most first.
    pub fn since(&self, before: &Self) -> Vec<(String, f64)> {
        let mut used: Vec<(String, f64)> = self
            .0
            .iter()
            .map(|(command, now)| {
                let then = before.0.get(command).copied().unwrap_or_default();
                (command.clone(), now - then)
            })
            .collect();
        used.sort_by(|a, b| b.1.total_cmp(&a.1));
        used
    }
}

/// The kernel keeps fifteen characters of a command.
fn name(command: &str, id: u32) -> String {
    match command {
        _ if id == std::process::id() => "the load".into(),
        "kube-controller" => "kube-controller-manager".into(),
        "docket-operator" => "the operator".into(),
        command => command.to_owned(),
    }
}

fn all() -> Vec<Stat> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(read)
        .collect()
}

fn read(id: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

fn parse(line: &str) -> Option<Stat> {
    let (before, after) = line.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some(Stat {
        command: before.split_once('(')?.1.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        own: seconds(11)? + seconds(12)?,
        ended: seconds(13)? + seconds(14)?,
    })
}

/// Processor time of one process.
pub fn of_process(id: u32) -> Duration {
    Duration::from_secs_f64(read(id).map_or(0.0, |stat| stat.own))
}

/// Resident memory of a process in KiB: now, and the most that it was.
pub fn memory(id: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .unwrap_or_default()
    };
    (field("VmRSS:"), field("VmHWM:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_have_spaces_and_parentheses() {
        let line = "7 (a (b) c) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 20 30 20 0 1 0 1 1 1";
        let stat = parse(line).expect("a line");
        assert_eq!((stat.command.as_str(), stat.parent), ("a (b) c", 3));
        assert_eq!((stat.own, stat.ended), (2.0, 0.5));
    }

    #[test]
    fn our_own_memory_is_known() {
        let (now, most) = memory(std::process::id());
        assert!(0 < now && now <= most);
    }
}
