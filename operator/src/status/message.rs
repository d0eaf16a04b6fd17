//! When two messages of a failure say the same: what differs each time, as long as it took and which port the
//! system chose, is no news.

use std::net::SocketAddr;

/// The first port that systems choose for a connection by themselves (Linux, `ip_local_port_range`).
const FIRST_CHOSEN_PORT: u16 = 32768;

/// Whether `a` and `b` differ in nothing but that.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    a == b || lasting(a).eq(lasting(b))
}

/// The words of `message`, with a stand-in for each that is another each time.
fn lasting(message: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_whitespace() || "(),;>\"'".contains(c);
    message.split(is_between).map(|word| {
        let bare = word.trim_end_matches(['-', '.', ':']);
        match is_measured_time(bare) || is_chosen_address(bare) {
            true => "…",
            false => word,
        }
    })
}

/// Such as `1.234s` or `15ms`; a whole number of seconds is a setting.
fn is_measured_time(word: &str) -> bool {
    let is_small = ["ms", "µs", "us", "ns"]
        .iter()
        .any(|unit| word.ends_with(unit));
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with('s')
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || ".hmµuns".contains(c))
        && (is_small || word.contains('.'))
}

fn is_chosen_address(word: &str) -> bool {
    let address: Result<SocketAddr, _> = word.parse();
    address.is_ok_and(|address| address.port() >= FIRST_CHOSEN_PORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_took_and_a_port_of_the_moment_make_no_difference() {
        for (a, b) in [
            (
                "after 1 retry in 1.234s: refused",
                "after 1 retry in 10.5s: refused",
            ),
            ("took 980ms, too long", "took 1.2s, too long"),
            (
                "read tcp 10.0.0.1:40001->10.0.0.2:443: i/o timeout",
                "read tcp 10.0.0.1:52000->10.0.0.2:443: i/o timeout",
            ),
            (
                "from [fd00::1]:40000 (1m2.5s)",
                "from [fd00::1]:40002 (59.1s)",
            ),
        ] {
            assert!(is_same(a, b), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn every_other_difference_is_news() {
        for (a, b) in [
            ("2 of 3 pods are ready", "1 of 3 pods are ready"),
            ("no answer in 30s", "no answer in 60s"),
            (
                "nothing listens at 10.0.0.1:5432",
                "nothing listens at 10.0.0.2:5432",
            ),
            ("in 1.5s: refused", "in 1.5s: not found"),
            ("version 1.2", "version 1.3"),
            ("refused", "refused in 1.5s"),
        ] {
            assert!(!is_same(a, b), "{a:?} and {b:?}");
        }
    }
}
