//! Documents are taken.

use super::client::{Client, Stored};
use super::content::content;
use super::{Seen, passed};

/// Stores `files` documents; those that were taken are in `stored`, whatever becomes of the rest.
pub(super) async fn store(
    client: &Client,
    seed: &str,
    files: usize,
    stored: &mut Vec<Stored>,
) -> Seen {
    for number in 0..files {
        let name = format!("{seed}-{number}.txt");
        let request = format!("{seed}-{}-{number}", client.name);
        stored.push(client.store(&name, content(seed, number), &request).await?);
    }
    let bytes: usize = stored.iter().map(|it| it.content.len()).sum();
    passed(format!(
        "{bytes} bytes, ids {:?}",
        stored.iter().map(|it| it.id).collect::<Vec<_>>()
    ))
}
