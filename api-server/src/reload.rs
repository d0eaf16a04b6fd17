//! What changes while the server serves: the operator keeps it beside the configuration, so that no
//! pod is restarted for it.

use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use docket_contract::{LIMITS_FILE, REPLICAS_FILE, TenantLimits};
use docket_platform::middleware::access::Access;

/// The kubelet brings a change within about a minute; this should add nothing to speak of.
pub(crate) const INTERVAL: Duration = Duration::from_secs(2);

/// Why the last known limits go on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// An operator from before there were such files does not write one.
    #[error("there is none")]
    Missing,
    #[error("{0}")]
    Broken(String),
}

/// Lets clients do what the files beside the configuration file `config` say now; limits that cannot
/// be read stay as they were.
pub(crate) fn look(access: &Access, config: &Path) -> (bool, Option<Unusable>) {
    let pods = pods(&config.with_file_name(REPLICAS_FILE));
    let limits = limits(&config.with_file_name(LIMITS_FILE));
    let changed = access.limit_clients(pods, limits.as_ref().ok());
    (changed, limits.err())
}

/// Keeps the limits of clients at what the files beside `config` say.
pub(crate) async fn reload(access: Arc<Access>, config: PathBuf) {
    let mut told = None;
    loop {
        let (changed, unusable) = look(&access, &config);
        if changed {
            tracing::info!("what clients may do has changed");
        }
        if unusable != told {
            match &unusable {
                None => tracing::info!("the file of limits can be read again"),
                Some(Unusable::Missing) => {
                    tracing::info!(LIMITS_FILE, "no file of limits: the last known ones go on");
                }
                Some(Unusable::Broken(error)) => {
                    tracing::warn!(
                        error,
                        LIMITS_FILE,
                        "the file of limits cannot be used: the last known ones go on"
                    );
                }
            }
            told = unusable;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The number in `file`; 1 where there is none.
fn pods(file: &Path) -> NonZeroU32 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.trim().parse().unwrap_or(NonZeroU32::MIN)
}

fn limits(file: &Path) -> Result<TenantLimits, Unusable> {
    let text = std::fs::read_to_string(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unusable::Missing,
        _ => Unusable::Broken(error.to_string()),
    })?;
    serde_json::from_str(&text).map_err(|error| Unusable::Broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_pods_counts_as_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(REPLICAS_FILE);
        assert_eq!(pods(&file), NonZeroU32::MIN);
        for (text, number) in [("3", 3), ("3\n", 3), ("0", 1), ("", 1), ("many", 1)] {
            std::fs::write(&file, text).expect("written");
            assert_eq!(pods(&file).get(), number, "{text:?}");
        }
    }

    #[test]
    fn limits_that_are_not_there_are_told_from_those_that_make_no_sense() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(LIMITS_FILE);
        assert_eq!(limits(&file), Err(Unusable::Missing));
        for broken in [
            "",
            "{",
            "null",
            r#"{"clients": {"globex": {"retentionDays": -1}}}"#,
        ] {
            std::fs::write(&file, broken).expect("written");
            assert!(
                matches!(limits(&file), Err(Unusable::Broken(_))),
                "{broken}"
            );
        }
        std::fs::write(&file, "{}").expect("written");
        assert_eq!(limits(&file), Ok(TenantLimits::default()));
    }
}
