//! Two operators, as processes, against an API server that is not one: who writes, and when.

mod api_server;
mod process;

use std::time::{Duration, Instant};

use self::api_server::ApiServer;
use self::process::Operator;

const LONG: Duration = Duration::from_secs(30);

/// One operator that writes, and another that waits for the Lease.
async fn two() -> (ApiServer, Operator, Operator) {
    let server = ApiServer::start().await;
    let first = Operator::start(&server, "first");
    server.write_of("first", Instant::now(), LONG).await;
    let second = Operator::start(&server, "second");
    server.renewals_seen_by("second", 3, LONG).await;
    assert_eq!(server.writes_of("second"), 0, "it does not hold the Lease");
    (server, first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_replaced_within_fifteen_seconds() {
    let (server, mut first, _second) = two().await;
    let killed = Instant::now();
    first.signal("KILL");
    first.exit(LONG).await;
    let took = server.write_of("second", killed, LONG).await - killed;
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_told_to_end_is_replaced_within_three_seconds() {
    let (server, mut first, _second) = two().await;
    let told = Instant::now();
    first.signal("TERM");
    let took = server.write_of("second", told, LONG).await - told;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(first.exit(LONG).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_past_its_lease_ends_and_writes_nothing_when_it_wakes() {
    let (server, mut first, _second) = two().await;
    let frozen = Instant::now();
    first.signal("STOP");
    let replaced = server.write_of("second", frozen, LONG).await;
    assert!(replaced - frozen < Duration::from_secs(15));
    let woken = Instant::now();
    first.signal("CONT");
    assert!(!first.exit(LONG).await.success(), "it lost the Lease");
    server.write_of("second", Instant::now(), LONG).await;
    assert_eq!(
        server.last_write_of("first").map(|at| at < woken),
        Some(true)
    );
    assert_eq!(server.holder().as_deref(), Some("second"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_probes_cannot_be_served_ends_while_it_waits_for_the_lease() {
    let server = ApiServer::start().await;
    let _first = Operator::start(&server, "first");
    server.write_of("first", Instant::now(), LONG).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut second = Operator::start_at(&server, "second", &address);
    assert!(!second.exit(LONG).await.success());
    assert_eq!(server.holder().as_deref(), Some("first"));
}
