//! Who may have how much of the memory of the container, so that callers together never need more than it has.

/// What the server takes before anybody calls, with room for what the allocator does not give back.
const OWN: u64 = 40 * MIB;
/// Most that a connection takes with a request under way; an idle one takes a third of it (`bench/README.md`).
const CONNECTION: u64 = 64 * 1024;
/// The same of what encrypts it.
const TLS: u64 = 32 * 1024;
const MIB: u64 = 1024 * 1024;

/// Parts of the memory. What is left beside the server itself is divided in three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Bytes of uploads that are not yet in a store.
    pub uploads: u64,
    /// Bytes of a process that reads a file of others.
    pub reader: u64,
    /// Connections of callers.
    pub connections: usize,
}

impl MemoryBudget {
    /// Bytes of the smallest container that there is a budget for: a third of it holds two parts of uploads.
    pub const LEAST: u64 = 96 * MIB;

    /// The parts of `memory`, of at least [`LEAST`](Self::LEAST) bytes, for connections with or without TLS.
    #[must_use]
    pub fn of(memory: u64, tls: bool) -> Self {
        let third = memory.saturating_sub(OWN) / 3;
        let connection = match tls {
            true => CONNECTION + TLS,
            false => CONNECTION,
        };
        Self {
            uploads: third,
            reader: third,
            connections: usize::try_from(third / connection).unwrap_or(usize::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_may_cost_together_is_no_more_than_the_container_has() {
        for memory in [96, 128, 256, 1000, 64 * 1024].map(|mib| mib * MIB) {
            for (tls, connection) in [(false, CONNECTION), (true, CONNECTION + TLS)] {
                let budget = MemoryBudget::of(memory, tls);
                let connections = budget.connections as u64 * connection;
                let all = OWN + budget.uploads + budget.reader + connections;
                assert!(all <= memory, "{all} of {memory}: {budget:?}");
                assert!(all > memory / 100 * 99, "{all} of {memory}: {budget:?}");
            }
        }
    }

    #[test]
    fn a_pod_of_256_mib_holds_as_many_connections_as_it_has_memory_for() {
        let budget = |tls| MemoryBudget::of(256 * MIB, tls).connections;
        assert_eq!((budget(false), budget(true)), (1152, 768));
    }
}
