//! How close to production what is started here comes.

/// How close to production a control plane and a Postgres come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// For tests: what a machine's crash loses they do not miss, so nothing waits for the disk, and
    /// only the controllers run that a test waits for.
    Swift,
    /// To measure: what is committed is on the disk, and every controller runs that needs no machine.
    Real,
}

impl Fidelity {
    /// Where data goes: /tmp may be memory.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Swift => "/tmp",
            Self::Real => "/var/tmp",
        }
    }

    /// Nodes for pods. Among some thousand pods one kwok cannot keep up beside everything else: its watch is
    /// cut, and what the next shows it again makes it later still.
    pub(crate) const fn nodes(self) -> usize {
        match self {
            Self::Swift => 1,
            Self::Real => 10,
        }
    }
}
