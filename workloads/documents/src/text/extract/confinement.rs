//! What the process that reads a file gives up before it does: files, the network, all but a few system calls.
//!
//! A kernel that lacks one of the two layers leaves the other; which of them hold is told, and the file is read.

use std::collections::BTreeMap;
use std::fmt;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Rules of Linux 6.12; an older kernel keeps those that it knows.
const RULES: ABI = ABI::V6;

/// What reading from one stream, writing to another and allocating between the two takes.
const SYSTEM_CALLS: [i64; 21] = [
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Those that take memory, which must not be for code.
const OF_DATA: [i64; 2] = [libc::SYS_mmap, libc::SYS_mprotect];
/// Place among their arguments of what the memory is for.
const PROTECTION: u8 = 2;

/// The layers that hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confinement {
    /// Landlock: no file is opened, nobody is called.
    pub(crate) files: bool,
    /// seccomp: no system call is made but a few.
    pub(crate) system_calls: bool,
}

const FILES: &str = "files";
const CALLS: &str = "system-calls";

impl Confinement {
    /// Each layer, and whether it holds.
    pub(crate) fn layers(self) -> [(&'static str, bool); 2] {
        [(FILES, self.files), (CALLS, self.system_calls)]
    }

    /// Of this process, from now on.
    pub(super) fn enter() -> Self {
        Self {
            files: no_files().unwrap_or(false),
            system_calls: few_system_calls().is_ok(),
        }
    }

    /// What [`Display`](fmt::Display) wrote.
    pub(super) fn parse(text: &str) -> Self {
        let has = |layer| text.split_whitespace().any(|word| word == layer);
        Self {
            files: has(FILES),
            system_calls: has(CALLS),
        }
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.layers().into_iter().filter(|(_, holds)| *holds);
        held.map(|(layer, _)| layer)
            .try_for_each(|layer| writeln!(f, "{layer}"))
    }
}

/// Whether the kernel knows Landlock.
fn no_files() -> Result<bool, landlock::RulesetError> {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .restrict_self()?;
    Ok(restricted.ruleset != RulesetStatus::NotEnforced)
}

/// Any other call fails as if it were not permitted.
fn few_system_calls() -> Result<(), Box<dyn std::error::Error>> {
    let is_no_code = SeccompCondition::new(
        PROTECTION,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64),
        0,
    )?;
    let is_no_code = SeccompRule::new(vec![is_no_code])?;
    let few = SYSTEM_CALLS.into_iter().map(|call| (call, Vec::new()));
    let of_data = OF_DATA.into_iter();
    let of_data = of_data.map(|call| (call, vec![is_no_code.clone()]));
    let rules: BTreeMap<_, _> = few.chain(of_data).collect();
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM as u32),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    Ok(seccompiler::apply_filter(&program)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_reads_what_the_process_says_of_itself() {
        for files in [false, true] {
            for system_calls in [false, true] {
                let confinement = Confinement {
                    files,
                    system_calls,
                };
                assert_eq!(Confinement::parse(&confinement.to_string()), confinement);
            }
        }
        assert!(!Confinement::parse("no-files").files);
    }
}
