//! Documents come back as they were, and to nobody else.

use http::Method;

use super::client::{Client, Stored};
use super::content::sha256;
use super::{Seen, passed};

pub(super) async fn read_back(client: &Client, stored: &[Stored]) -> Seen {
    for document in stored {
        let path = format!("documents/{}", document.id);
        let metadata = client.get(&path).await?;
        let told = metadata.json();
        for member in [
            "id",
            "client_id",
            "filename",
            "file_size",
            "sha256",
            "file_type",
        ] {
            if metadata.status != 200 || told[member] != document.metadata[member] {
                return Err(format!(
                    "{path}: {} {}, not {}",
                    metadata.status,
                    metadata.excerpt(),
                    document.metadata
                ));
            }
        }
        let content = client.get(&format!("{path}/content")).await?;
        let digest = sha256(&document.content);
        if content.status != 200 || content.body != document.content {
            return Err(format!(
                "{path}/content: {} with {} bytes of the SHA-256 {}, not {} bytes of {digest}",
                content.status,
                content.body.len(),
                sha256(&content.body),
                document.content.len()
            ));
        }
        if !content.header("etag").contains(&digest) {
            return Err(format!(
                "{path}/content: the ETag {} is not its SHA-256",
                content.header("etag")
            ));
        }
    }
    passed(format!("{} documents", stored.len()))
}

pub(super) async fn listed(client: &Client, seed: &str, stored: &[Stored]) -> Seen {
    let page = client
        .get(&format!("documents?limit=100&name={seed}"))
        .await?;
    let found = page.json()["documents"].as_array().map_or(0, Vec::len);
    let expected = stored.len().min(100);
    match page.status == 200 && found == expected {
        true => passed(format!("{found} documents")),
        false => Err(format!(
            "{found} of {expected} documents are listed: {} {}",
            page.status,
            page.excerpt()
        )),
    }
}

/// With its own key `other` opens nothing on the routes of `client`.
pub(super) async fn shut_out(other: &Client, client: &Client, stored: &[Stored]) -> Seen {
    if other.key.is_none() {
        return Ok(super::Verdict::Skipped(
            "the tenant asks for no proof: auth.mode is None".into(),
        ));
    }
    let id = stored.first().map_or(1, |it| it.id);
    let paths = [
        "documents".to_owned(),
        format!("documents/{id}"),
        format!("documents/{id}/content"),
        "usage".into(),
    ];
    for path in paths {
        let ask = other.on_routes_of(&client.name, Method::GET, &path);
        let answer = other.way.ask(ask).await?;
        if !matches!(answer.status.as_u16(), 401 | 403 | 404) {
            return Err(format!(
                "{path} of {} is answered with {}",
                client.name, answer.status
            ));
        }
    }
    passed("refused on every route")
}
