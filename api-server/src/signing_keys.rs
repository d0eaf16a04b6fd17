//! The keys of the tenant's own issuer, which the operator replaces while the server serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use docket_contract::SIGNING_KEYS_FILE;
use docket_platform::middleware::access::Access;
use docket_platform::tokens::OwnIssuer;

use crate::reload::INTERVAL;

/// Takes the keys in the file beside the configuration file `config`, where the tenant issues tokens; those
/// that cannot be used leave the last ones as they are.
pub(crate) fn look(access: &Access, config: &Path) {
    if let Some(issuer) = &access.own_issuer {
        tell(take(issuer, config), &mut None);
    }
}

/// Keeps the keys at what the file beside `config` says.
pub(crate) async fn reload(access: Arc<Access>, config: PathBuf) {
    let Some(issuer) = &access.own_issuer else {
        return;
    };
    let mut told = None;
    loop {
        tell(take(issuer, &config), &mut told);
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Whether the keys are others than before, or why they cannot be used.
fn take(issuer: &OwnIssuer, config: &Path) -> Result<bool, String> {
    let file = config.with_file_name(SIGNING_KEYS_FILE);
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    // What serde says of a file may quote it, and this one is secret.
    let keys = serde_json::from_str(&text).map_err(|error| format!("{:?}", error.classify()))?;
    issuer.take(&keys).map_err(|error| format!("{error:#}"))
}

/// Says what is news; the same trouble once.
fn tell(taken: Result<bool, String>, told: &mut Option<String>) {
    let trouble = match taken {
        Ok(changed) => {
            if changed {
                tracing::info!("the tenant signs with the keys that the file has now");
            }
            None
        }
        Err(error) => Some(error),
    };
    if trouble != *told
        && let Some(error) = &trouble
    {
        tracing::warn!(
            error,
            SIGNING_KEYS_FILE,
            "the file of signing keys cannot be used: the last known ones go on"
        );
    }
    *told = trouble;
}
