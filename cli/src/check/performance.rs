//! How fast a tenant answers: reads and uploads side by side, a bounded number at a time.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream;

use super::client::{Client, Stored};
use super::report::Verdict;
use super::way::Answer;
use super::{Seen, passed};

/// Every so many requests one is an upload.
const UPLOADS: usize = 20;

pub(super) fn requests(factor: usize) -> usize {
    400 * factor
}

/// More than this would measure this machine.
pub(super) fn parallel(factor: usize) -> usize {
    (8 * factor).min(64)
}

/// What became of one request.
enum Outcome {
    Read(Duration),
    Uploaded(Duration),
    /// 429: the client's rate limit.
    HeldBack,
    Failed(String),
}

pub(super) async fn measure(stored: &[(Client, Vec<Stored>)], seed: &str, factor: usize) -> Seen {
    let readable: Vec<(&Client, &Stored)> = stored
        .iter()
        .flat_map(|(client, documents)| documents.iter().map(move |document| (client, document)))
        .collect();
    if readable.is_empty() {
        return Ok(Verdict::Skipped(
            "no document was stored that could be read".into(),
        ));
    }
    let start = Instant::now();
    let outcomes: Vec<Outcome> = stream::iter(0..requests(factor))
        .map(|number| {
            let (round, turn) = (number / readable.len(), number % readable.len());
            let (client, document) = readable[turn];
            let (uploader, _) = readable[number / UPLOADS % readable.len()];
            async move {
                match number % UPLOADS {
                    0 => upload(uploader, seed, number).await,
                    _ if round.is_multiple_of(2) => read(client, document, "").await,
                    _ => read(client, document, "/content").await,
                }
            }
        })
        .buffer_unordered(parallel(factor))
        .collect()
        .await;
    verdict(outcomes, start.elapsed())
}

async fn read(client: &Client, document: &Stored, part: &str) -> Outcome {
    let start = Instant::now();
    let answer = client
        .get(&format!("documents/{}{part}", document.id))
        .await;
    outcome(answer, 200, || Outcome::Read(start.elapsed()))
}

async fn upload(client: &Client, seed: &str, number: usize) -> Outcome {
    let name = format!("{seed}-load-{number}.txt");
    let content = format!("Document {number} of {seed}.");
    let request = format!("{seed}-load-{number}");
    let start = Instant::now();
    let answer = client.put(&name, content.as_bytes(), &request).await;
    outcome(answer, 201, || Outcome::Uploaded(start.elapsed()))
}

fn outcome(answer: Result<Answer, String>, good: u16, took: impl FnOnce() -> Outcome) -> Outcome {
    match answer {
        Ok(answer) if answer.status == good => took(),
        Ok(answer) if answer.status == 429 => Outcome::HeldBack,
        Ok(answer) => Outcome::Failed(format!("{} {}", answer.status, answer.excerpt())),
        Err(why) => Outcome::Failed(why),
    }
}

fn verdict(outcomes: Vec<Outcome>, took: Duration) -> Seen {
    let (mut reads, mut uploads, mut failures, mut held_back) =
        (Vec::new(), Vec::new(), Vec::new(), 0);
    for outcome in outcomes {
        match outcome {
            Outcome::Read(time) => reads.push(time),
            Outcome::Uploaded(time) => uploads.push(time),
            Outcome::HeldBack => held_back += 1,
            Outcome::Failed(why) => failures.push(why),
        }
    }
    let answered = reads.len() + uploads.len();
    #[expect(
        clippy::cast_precision_loss,
        reason = "far fewer requests than a float can tell apart"
    )]
    let rate = answered as f64 / took.as_secs_f64();
    let mut told = format!(
        "{rate:.0} requests/s\nreads:   {}\nuploads: {}",
        percentiles(&mut reads),
        percentiles(&mut uploads)
    );
    if held_back > 0 {
        told.push_str(&format!(
            "\n{held_back} were held back by the clients' rate limit (429)"
        ));
    }
    match failures.first() {
        None => passed(told),
        Some(first) => Err(format!(
            "{} failed, the first with {first}\n{told}",
            failures.len()
        )),
    }
}

/// Nearest-rank percentiles of `times`.
fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).map_or_else(
            || "-".into(),
            |time| format!("{:.1}ms", time.as_secs_f64() * 1_000.0),
        )
    };
    format!(
        "{} answered, p50 {}, p95 {}, p99 {}",
        times.len(),
        at(50),
        at(95),
        at(99)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(
            percentiles(&mut times),
            "200 answered, p50 100.0ms, p95 190.0ms, p99 198.0ms"
        );
        assert_eq!(
            percentiles(&mut times[..1]),
            "1 answered, p50 1.0ms, p95 1.0ms, p99 1.0ms"
        );
        assert_eq!(percentiles(&mut []), "0 answered, p50 -, p95 -, p99 -");
    }

    #[test]
    fn what_is_held_back_is_no_failure_and_everything_else_is() {
        let read = || Outcome::Read(Duration::from_millis(5));
        let second = Duration::from_secs(1);
        let fine = verdict(vec![read(), Outcome::HeldBack], second).expect("passed");
        assert!(matches!(fine, Verdict::Passed(told) if told.contains("1 were held back")));
        let told =
            verdict(vec![read(), Outcome::Failed("500".into())], second).expect_err("failed");
        assert!(told.starts_with("1 failed, the first with 500"), "{told}");
    }
}
