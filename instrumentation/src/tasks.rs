//! Tasks that a program starts once, beside its work. One that panics would be missed by nobody until it is needed.

use std::time::{Duration, Instant};

use opentelemetry::{KeyValue, global};
use tokio::time::sleep;

use crate::panics::catch_panic;

/// The first pause before a task that panicked begins anew; each is twice the one before.
const FIRST: Duration = Duration::from_secs(1);
/// The longest; who went on for so long begins with the first again.
const LONGEST: Duration = Duration::from_secs(60);

/// Does `work` until it returns. If it panics, that is counted as one of `task`, and after a pause it begins anew.
pub async fn restart_after_panics<F: Future<Output = ()>>(
    task: &'static str,
    work: impl Fn() -> F,
) {
    restart(task, work, FIRST).await;
}

async fn restart<F: Future<Output = ()>>(
    task: &'static str,
    work: impl Fn() -> F,
    first: Duration,
) {
    let panics = global::meter("docket")
        .u64_counter("docket_task_panics_total")
        .with_description("Panics of tasks beside the work, which began anew, by task")
        .build();
    let labels = [KeyValue::new("task", task)];
    // There before the first, so that an increase is seen.
    panics.add(0, &labels);
    let mut pause = first;
    loop {
        let begun = Instant::now();
        // On the heap: it is kept for as long as the program runs.
        let Err(panicked) = catch_panic(Box::pin(async { work().await })).await else {
            return;
        };
        panics.add(1, &labels);
        if begun.elapsed() >= LONGEST {
            pause = first;
        }
        tracing::error!(
            task,
            error = %panicked,
            restart_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "a task begins anew"
        );
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_begins_anew_after_pauses_that_double_until_it_returns() {
        let first = Duration::from_millis(5);
        let begins = RefCell::new(Vec::new());
        let work = || async {
            begins.borrow_mut().push(Instant::now());
            assert!(begins.borrow().len() > 3, "hush");
        };
        restart("test", work, first).await;
        let begins = begins.into_inner();
        assert_eq!(begins.len(), 4);
        for (at, expected) in [(1, first), (2, first * 2), (3, first * 4)] {
            assert!(begins[at] - begins[at - 1] >= expected, "{begins:?}");
        }
    }
}
