//! Waiting for what comes about by itself.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take on a machine that runs many tests at once.
pub const PATIENCE: Duration = Duration::from_secs(120);

const INTERVAL: Duration = Duration::from_millis(250);

/// Asks until `ask` answers `Ok(Ok(value))`; `Ok(Err(state))` means not yet.
///
/// # Errors
/// What `ask` fails with; after [`PATIENCE`], the last state, with `what` was waited for.
pub async fn until<T, S: Display>(
    what: &str,
    ask: impl AsyncFnMut() -> Result<Result<T, S>>,
) -> Result<T> {
    until_within(PATIENCE, what, ask).await
}

/// The same for what takes `patience`.
///
/// # Errors
/// As [`until`].
pub async fn until_within<T, S: Display>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Result<T, S>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match ask().await? {
            Ok(value) => return Ok(value),
            Err(state) if start.elapsed() > patience => {
                bail!("{what} did not come about in {patience:?}: {state}")
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
