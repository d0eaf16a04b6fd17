//! How many pods serve the tenant: the operator keeps the number beside the configuration, so that
//! scaling restarts no pod.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use docket_contract::REPLICAS_FILE;

use crate::App;

/// The kubelet brings a change within about a minute, so looking more often is no use.
const INTERVAL: Duration = Duration::from_secs(10);

/// The file beside the configuration file `config`.
pub(crate) fn file(config: &Path) -> PathBuf {
    config.with_file_name(REPLICAS_FILE)
}

/// The number in `file`; 1 where there is none.
pub(crate) fn read(file: &Path) -> NonZeroU32 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.trim().parse().unwrap_or(NonZeroU32::MIN)
}

/// Keeps the shares of `app` in what pods have in common at what `file` says.
pub(crate) async fn follow(app: Arc<App>, file: PathBuf) {
    let mut pods = read(&file);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = read(&file);
        if now != pods {
            tracing::info!(pods = now, "the number of pods has changed");
            app.share_limits(now);
            pods = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_pods_counts_as_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file(&folder.path().join("tenant.json"));
        assert_eq!(read(&file), NonZeroU32::MIN);
        for (text, pods) in [("3", 3), ("3\n", 3), ("0", 1), ("", 1), ("many", 1)] {
            std::fs::write(&file, text).expect("written");
            assert_eq!(read(&file).get(), pods, "{text:?}");
        }
    }
}
