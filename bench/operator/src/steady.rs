//! What an operator does that has nothing to do, and one that comes back to that.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::operator::Operator;
use crate::stage::Stage;
use crate::tenants::PATIENCE;
use crate::{progress, usage, writes};

/// How long nothing ends before all has ended.
const PAUSE: Duration = Duration::from_secs(2);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(50);

/// What it did while there was nothing to do.
pub struct Steady {
    /// Writes to the API server, of anybody.
    pub writes: u64,
    /// Share of one processor.
    pub share: f64,
}

/// Looks on for `time`.
///
/// # Errors
/// The API server does not answer.
pub async fn look_on(stage: &Stage, operator: &Operator, time: Duration) -> Result<Steady> {
    stage.quiet(PAUSE).await?;
    progress(&format!("looking on for {} s", time.as_secs()));
    let (writes, used) = (
        writes::so_far(stage.kubernetes()).await?,
        usage::of_process(operator.id()),
    );
    tokio::time::sleep(time).await;
    let used = usage::of_process(operator.id()) - used;
    Ok(Steady {
        writes: writes::so_far(stage.kubernetes()).await? - writes,
        share: used.as_secs_f64() / time.as_secs_f64(),
    })
}

/// What a restart took.
pub struct Restart {
    /// Writes to the API server, of anybody.
    pub writes: u64,
    /// From its start until it had looked at every tenant.
    pub caught_up: Duration,
    /// Resident memory in KiB then.
    pub resident: u64,
}

/// Ends the operator and starts another, which finds `tenants` as they should be.
///
/// # Errors
/// It does not catch up.
pub async fn restart(
    stage: &Stage,
    operator: Operator,
    binary: &Path,
    concurrency: u16,
    tenants: usize,
) -> Result<(Restart, Operator)> {
    progress("starting the operator anew");
    operator.stop();
    stage.quiet(PAUSE).await?;
    let before = writes::so_far(stage.kubernetes()).await?;
    let operator = Operator::start(stage, binary, concurrency).await?;
    let since = catch_up(&operator, tenants).await?;
    let restart = Restart {
        writes: writes::so_far(stage.kubernetes()).await? - before,
        caught_up: since - operator.started(),
        resident: usage::memory(operator.id()).0,
    };
    Ok((restart, operator))
}

/// Waits until an operator has looked at `tenants` and at nothing more; when it last did.
///
/// # Errors
/// It does not.
pub async fn catch_up(operator: &Operator, tenants: usize) -> Result<Instant> {
    let (mut count, mut since) = (0, Instant::now());
    loop {
        let now = operator.reconciles().await;
        let now = now.with_context(|| operator.last_words())?;
        if now != count {
            (count, since) = (now, Instant::now());
        }
        let waited = since.elapsed();
        if waited > PAUSE && count >= tenants as u64 {
            return Ok(since);
        }
        if waited > PATIENCE {
            bail!("{count} of {tenants} tenants were looked at");
        }
        tokio::time::sleep(LOOK).await;
    }
}
