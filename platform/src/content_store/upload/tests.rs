use std::path::Path as FilePath;

use object_store::local::LocalFileSystem;

use super::*;
use crate::content_store::{PART, UploadMemory};

fn upload(folder: &FilePath) -> (Upload, Arc<dyn ObjectStore>, Path) {
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder).expect("a store"));
    let location = Path::from("schema/key");
    let memory = UploadMemory::of(0, std::time::Duration::from_secs(10), 1).of_client("schema");
    (
        Upload::new(store.clone(), location.clone(), memory),
        store,
        location,
    )
}

fn files(folder: &FilePath) -> usize {
    std::fs::read_dir(folder.join("schema")).map_or(0, Iterator::count)
}

/// Yields until what was spawned has made the number of files `expected`.
async fn eventually(folder: &FilePath, expected: usize) {
    let reached = async {
        while files(folder) != expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), reached)
        .await
        .expect("cleaned");
}

#[tokio::test]
async fn what_is_kept_can_be_read_whatever_its_size() {
    for size in [0, 1, PART - 1, PART, PART + 1, 3 * PART + 7] {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut upload, store, location) = upload(folder.path());
        let content: Bytes = (0..size).map(|i| (i % 251) as u8).collect();
        for chunk in content.chunks(1_000_003) {
            upload
                .write(content.slice_ref(chunk))
                .await
                .expect("written");
        }
        upload.finish().await.expect("finished");
        upload.keep();
        drop(upload);
        let read = store
            .get(&location)
            .await
            .expect("an object")
            .bytes()
            .await
            .expect("bytes");
        assert!(read == content, "{size}");
    }
}

/// An upload whose object is in the store.
async fn stored(folder: &FilePath) -> Upload {
    let (mut upload, ..) = upload(folder);
    upload
        .write(Bytes::from_static(b"text"))
        .await
        .expect("written");
    upload.finish().await.expect("finished");
    upload
}

#[tokio::test]
async fn a_stored_object_that_is_not_kept_disappears() {
    let folder = tempfile::tempdir().expect("a folder");
    let upload = stored(folder.path()).await;
    assert_eq!(files(folder.path()), 1);
    drop(upload);
    eventually(folder.path(), 0).await;
}

#[tokio::test]
async fn a_kept_object_that_nothing_refers_to_after_all_disappears() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut upload = stored(folder.path()).await;
    upload.keep();
    upload.give_up();
    drop(upload);
    eventually(folder.path(), 0).await;
}

#[tokio::test]
async fn parts_of_an_upload_that_broke_off_disappear() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut upload, ..) = upload(folder.path());
    upload
        .write(Bytes::from(vec![0; PART + 1]))
        .await
        .expect("written");
    assert_eq!(files(folder.path()), 1);
    drop(upload);
    eventually(folder.path(), 0).await;
}

#[tokio::test]
async fn bytes_that_come_one_by_one_are_all_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut upload, store, location) = upload(folder.path());
    for byte in 0..100_u8 {
        let chunk = match byte % 10 {
            0 => vec![byte; 20_000],
            _ => vec![byte],
        };
        upload.write(chunk.into()).await.expect("written");
    }
    upload.finish().await.expect("finished");
    upload.keep();
    let read = store.get(&location).await.expect("an object");
    let read = read.bytes().await.expect("bytes");
    assert_eq!(read.len(), 10 * 20_000 + 90);
    let mut order = read.to_vec();
    order.dedup();
    assert_eq!(order, (0..100).collect::<Vec<u8>>());
}
