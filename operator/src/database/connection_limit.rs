//! How many connections a client's role may hold: as many as the tenant's pods open, and no more than leaves the
//! server to others.

use docket_contract::CONNECTIONS_PER_CLIENT;

/// A role gets one part of so many: a client may have two roles, and the rest is for everybody else.
const PARTS: u32 = 3;

/// What one client's role may hold, and what it would need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// What the pods of its tenant may open at once.
    needed: u32,
    /// The most that one role gets of the server.
    share: u32,
}

impl ConnectionLimit {
    /// That of a tenant that may have so many `pods`, on a server that has so many `connections`.
    #[must_use]
    pub fn new(pods: i32, connections: i32) -> Self {
        let positive = |number: i32| u32::try_from(number).unwrap_or_default().max(1);
        Self {
            needed: positive(pods).saturating_mul(CONNECTIONS_PER_CLIENT),
            share: (positive(connections) / PARTS).max(1),
        }
    }

    /// What the role gets.
    #[must_use]
    pub fn granted(self) -> u32 {
        self.needed.min(self.share)
    }

    /// Whether a role that may hold so many needs no other number. One that has more than its pods open hurts
    /// nobody within its share: fewer pods cause no statement.
    #[must_use]
    pub fn is_met_by(self, limit: i32) -> bool {
        u32::try_from(limit).is_ok_and(|limit| (self.granted()..=self.share).contains(&limit))
    }

    /// How many connections the server would have to have, where it has too few.
    #[must_use]
    pub fn server_needs(self) -> Option<u32> {
        (self.needed > self.share).then(|| self.needed.saturating_mul(PARTS))
    }

    /// What the pods of the tenant may open at once.
    #[must_use]
    pub fn needed(self) -> u32 {
        self.needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_gets_what_its_pods_open_and_no_more_than_a_third_of_the_server() {
        for (pods, server, granted, server_needs) in [
            (3, 397, 60, None),
            (3, 97, 32, Some(180)),
            (51, 397, 132, Some(3060)),
            (51, 4997, 1020, None),
            (1, 1, 1, Some(60)),
            (0, -1, 1, Some(60)),
        ] {
            let limit = ConnectionLimit::new(pods, server);
            assert_eq!(
                (limit.granted(), limit.server_needs()),
                (granted, server_needs)
            );
        }
    }

    #[test]
    fn a_role_is_changed_if_its_pods_need_more_or_others_would_get_too_little() {
        let limit = ConnectionLimit::new(3, 397);
        for (held, met) in [
            (60, true),
            (132, true),
            (59, false),
            (133, false),
            (256, false),
            (-1, false),
        ] {
            assert_eq!(limit.is_met_by(held), met, "{held}");
        }
    }
}
