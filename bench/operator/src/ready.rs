//! From apply to all Ready, and what that took.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::operator::Operator;
use crate::stage::Stage;
use crate::tenants::{self, Address};
use crate::{progress, usage};

/// What one run took.
pub struct Run {
    /// How many tenants.
    pub tenants: usize,
    /// When each was ready, in order.
    pub times: Vec<Duration>,
    /// Processor seconds, by process.
    pub used: Vec<(String, f64)>,
    /// Resident memory of the operator in KiB when all were ready.
    pub resident: u64,
    /// The most that it was.
    pub most_resident: u64,
}

impl Run {
    /// From the first apply to the last Ready.
    pub fn took(&self) -> Duration {
        self.times.last().copied().unwrap_or_default()
    }
}

/// Makes tenants on an empty stage; the operator goes on.
///
/// # Errors
/// They do not get ready.
pub async fn run(
    stage: &Stage,
    binary: &Path,
    concurrency: u16,
    numbers: std::ops::Range<usize>,
) -> Result<(Run, Operator)> {
    let tenants = numbers.len();
    tenants::furnish(stage, numbers.clone(), &Address::direct(stage)).await?;
    let operator = Operator::start(stage, binary, concurrency).await?;
    let before = stage.usage(Some(operator.id()));
    progress(&format!("applying {tenants} tenants"));
    let times = tenants::apply(stage, numbers).await?;
    let used = stage.usage(Some(operator.id())).since(&before);
    let (resident, most_resident) = usage::memory(operator.id());
    let run = Run {
        tenants,
        times,
        used,
        resident,
        most_resident,
    };
    Ok((run, operator))
}
