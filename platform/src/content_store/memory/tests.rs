use futures::future::join_all;

use super::*;

const PATIENCE: Duration = Duration::from_millis(400);

/// Two parts, of one client: one for all, one in reserve.
fn least() -> ClientUploadMemory {
    UploadMemory::of(0, PATIENCE, 1).of_client("globex")
}

async fn with(memory: &ClientUploadMemory, bytes: usize) -> Reservation {
    let mut reservation = memory.reservation();
    reservation.grow(bytes, 0).await.expect("room");
    reservation
}

#[test]
fn half_of_the_memory_of_uploads_is_in_reserve() {
    let pool = UploadMemory::of(96 * 1024 * 1024, PATIENCE, 2).0;
    assert_eq!(
        pool.all.reserve.available_permits() * PART,
        48 * 1024 * 1024
    );
    assert_eq!(
        pool.all.shared.available_permits() * PAGE,
        48 * 1024 * 1024,
        "and half for whoever comes first"
    );
    for memory in [0, 1, 1024 * 1024, u64::MAX] {
        let pool = UploadMemory::of(memory, PATIENCE, 2).0;
        assert!(pool.all.reserve.available_permits() >= 1, "{memory}");
        assert!(
            pool.all.shared.available_permits() * PAGE >= PART,
            "{memory}"
        );
    }
}

#[tokio::test]
async fn room_is_taken_as_bytes_come_and_given_back_at_the_end() {
    let memory = least();
    let free = memory.pool.all.shared.available_permits();
    let mut reservation = with(&memory, 1).await;
    reservation.grow(PAGE - 1, 0).await.expect("room");
    assert_eq!(memory.pool.all.shared.available_permits(), free - 1);
    reservation.grow(1, 0).await.expect("room");
    assert_eq!(memory.pool.all.shared.available_permits(), free - 2);
    drop(reservation);
    assert_eq!(memory.pool.all.shared.available_permits(), free);
}

#[tokio::test]
async fn uploads_that_hold_all_there_is_and_want_more_go_on_one_after_another() {
    let memory = least();
    let reservations = (0..16).map(|_| with(&memory, PART / 16));
    let reservations = join_all(reservations).await;
    assert_eq!(memory.pool.all.shared.available_permits(), 0);
    let rest = reservations.into_iter().map(async |mut reservation| {
        for _ in 1..16 {
            reservation.grow(PART / 16, 0).await?;
            tokio::task::yield_now().await;
        }
        Ok::<_, Error>(())
    });
    let ended = join_all(rest).await;
    assert!(ended.iter().all(Result::is_ok), "{ended:?}");
    assert_eq!(memory.pool.all.reserve.available_permits(), 1);
}

#[tokio::test]
async fn who_waits_for_too_long_is_told_so() {
    let memory = least();
    let _rooms = [with(&memory, PART).await, with(&memory, 1).await];
    let waited = Instant::now();
    let refused = memory.reservation().grow(1, 0).await;
    assert!(matches!(refused, Err(Error::MemoryFull)), "{refused:?}");
    assert!(waited.elapsed() >= PATIENCE / 2);
    assert!(!memory.room.is_waited_for() && !memory.pool.all.is_waited_for());
}

#[tokio::test]
async fn who_waits_at_the_beginning_holds_nothing() {
    let memory = least();
    let mut first = memory.reservation();
    first.grow(1, PART).await.expect("room");
    let mut second = memory.reservation();
    second.grow(1, PART).await.expect("room");
    assert!(second.reserve.is_some(), "the first has all of the rest");
    let mut third = memory.reservation();
    let refused = third.grow(1, PART).await;
    assert!(matches!(refused, Err(Error::MemoryFull)), "{refused:?}");
    assert!(third.shared.is_none() && third.reserve.is_none());
}

#[tokio::test]
async fn a_part_that_comes_slowly_or_is_complete_keeps_no_room_empty() {
    let memory = least();
    let all = memory.pool.all.shared.available_permits();
    let mut complete = memory.reservation();
    complete.grow(1, PART).await.expect("room");
    assert_eq!(memory.pool.all.shared.available_permits(), 0);
    complete.settle();
    assert_eq!(memory.pool.all.shared.available_permits(), all - 1);
    drop(complete);

    let mut slow = memory.reservation();
    slow.grow(1, PART).await.expect("room");
    slow.since = Instant::now().checked_sub(2 * USUAL);
    slow.grow(PAGE, PART).await.expect("room");
    assert_eq!(memory.pool.all.shared.available_permits(), all - 2);
}

#[tokio::test]
async fn a_turn_lasts_until_others_have_waited_for_it_too_long() {
    let memory = least();
    let _rest = with(&memory, PART).await;
    let mut slow = with(&memory, 1).await;
    assert!(slow.reserve.is_some());
    slow.since = Instant::now().checked_sub(2 * PATIENCE);
    slow.grow(1, 0).await.expect("nobody waits");
    let mut waiting = memory.reservation();
    let hurry = async {
        while !memory.room.is_waited_for() {
            tokio::task::yield_now().await;
        }
        let refused = slow.grow(1, 0).await;
        assert!(matches!(refused, Err(Error::MemoryFull)), "{refused:?}");
        drop(slow);
    };
    let (waited, ()) = tokio::join!(waiting.grow(1, 0), hurry);
    waited.expect("room, as the slow one went");
}

#[tokio::test]
async fn a_client_whose_uploads_hold_all_that_they_may_leaves_half_to_others() {
    let memory = UploadMemory::of(96 * 1024 * 1024, PATIENCE, 2);
    let (slow, other) = (memory.of_client("globex"), memory.of_client("initech"));
    let pages = memory.0.all.shared.available_permits();
    let mut held = Vec::new();
    let refused = loop {
        let mut reservation = slow.reservation();
        match reservation.grow(1, PART).await {
            Ok(()) => held.push(reservation),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, Error::MemoryFull), "{refused:?}");
    assert_eq!(held.len(), 6, "of twelve parts");
    assert_eq!(memory.0.all.shared.available_permits(), pages / 2);
    assert_eq!(memory.0.all.reserve.available_permits(), 3);
    // And who waits for the slow ones of its own client ends no turn of another's.
    let _rest = join_all((0..3).map(|_| with(&other, PART))).await;
    let mut turn = with(&other, 1).await;
    assert!(turn.reserve.is_some());
    turn.since = Instant::now().checked_sub(2 * PATIENCE);
    let mut waiting = slow.reservation();
    let meanwhile = async {
        while !slow.room.is_waited_for() {
            tokio::task::yield_now().await;
        }
        turn.grow(1, 0).await.expect("nobody waits for this turn");
    };
    let (waited, ()) = tokio::join!(waiting.grow(1, PART), meanwhile);
    assert!(matches!(waited, Err(Error::MemoryFull)), "{waited:?}");
}
