//! What a client has in the object store: the operator only ever deletes it, and says whose it is.

use std::collections::BTreeMap;
use std::future::ready;
use std::time::{Duration, Instant};

use docket_contract::{ContentOwner, OWNER_OBJECT, S3Storage};
use docket_crds::ConditionType;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::ByteString;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, RetryConfig};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::content_answers::LastAnswer;
use crate::error::{Error, Problem};
use crate::leadership::fence::Fence;
use crate::text_form::TextForm;

/// Key of the Secret that holds the access key's id, and the environment variable it becomes.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Key of the Secret that holds the access key itself, and the environment variable it becomes.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// Longer than those of any server that is known.
const KEY: TextForm = TextForm::line(1024);

/// How long one request is tried again: a deletion that waits for a store that is down keeps others from
/// their turn, and is itself tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often.
const RETRIES: usize = 2;

/// Longest time for all that one look asks for: lists have pages, and who answers may never come to the last.
const LOOK: Duration = Duration::from_secs(30);

/// So many of those who reconcile may wait for object stores at a time: the others are for tenants that need none.
static TURNS: Semaphore = Semaphore::const_new(8);

/// Longest wait for one of these turns; those who come back later are no worse off.
const QUEUE: Duration = Duration::from_secs(2);

/// A tenant's bucket, and the key to it. A client of S3 is large, and made only to delete.
#[derive(Clone, Debug)]
pub struct Content {
    storage: S3Storage,
    access_key_id: String,
    secret_access_key: SecretString,
}

/// How far a turn of deleting came.
#[derive(Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Nothing is left.
    All,
    /// At least so many objects went, and more may be left.
    Part(u64),
}

impl Content {
    /// The bucket of `storage` with the credentials of a Secret.
    ///
    /// # Errors
    /// A sentence that names the key that is missing or cannot be used.
    pub fn from_secret(
        storage: &S3Storage,
        data: &BTreeMap<String, ByteString>,
    ) -> Result<Self, String> {
        Ok(Self {
            storage: storage.clone(),
            access_key_id: KEY.required(data, ACCESS_KEY_ID)?.to_owned(),
            secret_access_key: KEY.required(data, SECRET_ACCESS_KEY)?.into(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn storage(&self) -> &S3Storage {
        &self.storage
    }

    /// A client of the bucket, whose last answer `last` tells.
    fn store(&self, last: &LastAnswer) -> object_store::Result<AmazonS3> {
        let storage = &self.storage;
        AmazonS3Builder::new()
            .with_bucket_name(&storage.bucket)
            .with_endpoint(&storage.endpoint)
            .with_region(&storage.region)
            .with_allow_http(storage.endpoint.starts_with("http://"))
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(self.secret_access_key.expose_secret())
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: PATIENCE,
                ..RetryConfig::default()
            })
            .with_http_connector(last.clone())
            .build()
    }

    /// Deletes the objects of the client whose schema is `schema`, until `turn` is over and the store has
    /// answered, while `fence` is open.
    ///
    /// # Errors
    /// Transient ones: the store does not answer or refuses. What was deleted stays deleted.
    pub async fn delete(
        &self,
        schema: &str,
        turn: Duration,
        fence: &Fence,
    ) -> Result<Deleted, Error> {
        let last = LastAnswer::default();
        let delete = async { delete_from(&self.store(&last)?, schema, turn, fence.clone()).await };
        let longest = turn.saturating_add(LOOK);
        self.ask(schema, "could not be deleted", longest, &last, delete)
            .await
    }

    /// What `question` comes to, in its turn and before `longest` is over.
    async fn ask<T>(
        &self,
        schema: &str,
        what: &str,
        longest: Duration,
        last: &LastAnswer,
        question: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Error> {
        let Ok(Ok(_turn)) = timeout(QUEUE, TURNS.acquire()).await else {
            return Err(Error::Queued(
                "others wait for object stores that do not answer",
            ));
        };
        // On the heap: a thread's stack is small.
        match timeout(longest, Box::pin(question)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(self.unavailable(schema, what, last)),
            Err(_) => {
                last.ran_out_of_time();
                Err(self.unavailable(schema, what, last))
            }
        }
    }

    /// Whose the content of the client with the schema `schema` is, as it says beside it.
    ///
    /// # Errors
    /// Transient ones: the store does not answer or refuses, or what is there says nothing.
    pub async fn owner(&self, schema: &str) -> Result<Option<ContentOwner>, Error> {
        let last = LastAnswer::default();
        let read = async {
            let bytes = match self.store(&last)?.get(&marker(schema)).await {
                Ok(object) => object.bytes().await?,
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let owner =
                ContentOwner::parse(&bytes).map_err(|error| object_store::Error::Generic {
                    store: "S3",
                    source: format!(
                        "the object {} says nothing of an owner: {error}",
                        marker(schema)
                    )
                    .into(),
                })?;
            Ok(Some(owner))
        };
        self.ask(schema, "could not be looked at", LOOK, &last, read)
            .await
    }

    /// Whether the client has nothing there.
    ///
    /// # Errors
    /// Transient ones: the store does not answer or refuses.
    pub async fn is_empty(&self, schema: &str) -> Result<bool, Error> {
        let last = LastAnswer::default();
        let look = async {
            let mut objects = self.store(&last)?.list(Some(&Path::from(schema)));
            Ok(objects.try_next().await?.is_none())
        };
        self.ask(schema, "could not be looked at", LOOK, &last, look)
            .await
    }

    /// Says beside it whose the content is from now on, while `fence` is open.
    ///
    /// # Errors
    /// Transient ones: the store does not answer or refuses.
    pub async fn write_owner(
        &self,
        schema: &str,
        owner: &ContentOwner,
        fence: &Fence,
    ) -> Result<(), Error> {
        let last = LastAnswer::default();
        let write = async {
            may_write(fence)?;
            let text = owner.text().into();
            self.store(&last)?.put(&marker(schema), text).await
        };
        let written = self.ask(schema, "could not be handed over", LOOK, &last, write);
        written.await.map(|_| ())
    }

    fn unavailable(&self, schema: &str, what: &str, last: &LastAnswer) -> Error {
        Error::Transient(Problem::new(
            ConditionType::CredentialsReady,
            "ObjectStoreUnavailable",
            format!(
                "What the client of the schema {schema} keeps in the bucket {} {what}; check the bucket \
                 and the Secret of its key. The operator tries again. Of the object store: {last}.",
                self.storage.bucket
            ),
        ))
    }
}

/// The object that says whose the content is.
fn marker(schema: &str) -> Path {
    Path::from_iter([schema, OWNER_OBJECT])
}

async fn delete_from(
    store: &impl ObjectStore,
    schema: &str,
    turn: Duration,
    fence: Fence,
) -> object_store::Result<Deleted> {
    let begun = Instant::now();
    let (still_open, marker) = (fence.clone(), marker(schema));
    let last = marker.clone();
    // What says whose it is goes last: an attempt that comes later asks again.
    let objects = store
        .list(Some(&Path::from(schema)))
        .try_filter(move |object| ready(object.location != marker))
        .and_then(move |object| ready(may_write(&fence).map(|()| object.location)));
    let mut deleted = store.delete_stream(objects.boxed());
    let mut count = 0;
    while deleted.try_next().await?.is_some() {
        count += 1;
        if begun.elapsed() >= turn {
            return Ok(Deleted::Part(count));
        }
    }
    may_write(&still_open)?;
    match store.delete(&last).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(Deleted::All),
        Err(error) => Err(error),
    }
}

fn may_write(fence: &Fence) -> object_store::Result<()> {
    fence
        .check()
        .map_err(|passed| object_store::Error::Generic {
            store: "S3",
            source: passed.into(),
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::response::IntoResponse as _;
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn when_the_turn_is_over_the_rest_is_left_for_the_next() {
        let store = InMemory::new();
        for object in [
            "acme_globex/.owner",
            "acme_globex/1",
            "acme_globex/2",
            "acme_initech/1",
        ] {
            let stored = store.put(&Path::from(object), "text".into()).await;
            stored.expect("stored");
        }
        let turn = || delete_from(&store, "acme_globex", Duration::ZERO, Fence::open());
        for _ in 0..2 {
            assert_eq!(turn().await.expect("a turn"), Deleted::Part(1));
            let owner = store.head(&marker("acme_globex")).await;
            owner.expect("it is known whose the rest is");
        }
        assert_eq!(turn().await.expect("the last turn"), Deleted::All);
        let left: Vec<_> = store.list(None).try_collect().await.expect("a list");
        let left: Vec<_> = left.iter().map(|it| it.location.as_ref()).collect();
        assert_eq!(left, ["acme_initech/1"]);
    }

    /// A bucket whose server answers each request with `status`, `headers` and `body`, and counts them.
    async fn answering(
        status: http::StatusCode,
        location: Option<String>,
        body: &'static str,
    ) -> (Content, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let answer = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut answer = (status, body).into_response();
            if let Some(location) = &location {
                let location = location.parse().expect("a header");
                answer
                    .headers_mut()
                    .insert(http::header::LOCATION, location);
            }
            ready(answer)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let server = axum::Router::new().fallback(answer);
        tokio::spawn(axum::serve(listener, server).into_future());
        (bucket_at(endpoint), asked)
    }

    fn bucket_at(endpoint: String) -> Content {
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let storage = S3Storage {
            bucket: "acme".into(),
            endpoint,
            region: "us-east-1".into(),
        };
        let key = || ByteString(b"key".to_vec());
        let secret = [ACCESS_KEY_ID, SECRET_ACCESS_KEY].map(|name| (name.to_owned(), key()));
        Content::from_secret(&storage, &secret.into()).expect("a whole Secret")
    }

    async fn told(content: &Content) -> String {
        let fence = Fence::open();
        let deletion = content.delete("acme_globex", Duration::ZERO, &fence);
        deletion.await.expect_err("it is refused").to_string()
    }

    #[tokio::test]
    async fn of_a_refusal_only_the_status_and_the_code_are_told() {
        for (body, expected) in [
            ("an inner secret", "it answered 403."),
            (
                "<Error><Code>AccessDenied</Code><Message>an inner secret</Message></Error>",
                "it answered 403 AccessDenied.",
            ),
        ] {
            let (content, _) = answering(http::StatusCode::FORBIDDEN, None, body).await;
            let told = told(&content).await;
            assert!(told.ends_with(expected), "{told}");
            assert!(!told.contains("an inner secret"), "{told}");
        }
    }

    #[tokio::test]
    async fn nobody_is_led_to_another_server() {
        let (inner, asked) = answering(http::StatusCode::FORBIDDEN, None, "an inner secret").await;
        let elsewhere = Some(inner.storage().endpoint.clone());
        let (content, _) = answering(http::StatusCode::TEMPORARY_REDIRECT, elsewhere, "").await;
        let told = told(&content).await;
        assert!(
            told.ends_with("it answered 307, which is not followed."),
            "{told}"
        );
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    /// A bucket behind a server of which each connection hears `head`, and then `more` without end; and what was sent.
    async fn endless(head: &'static str, more: String) -> (Content, Arc<AtomicUsize>) {
        let (sent, listener) = (
            Arc::new(AtomicUsize::new(0)),
            tokio::net::TcpListener::bind("127.0.0.1:0").await,
        );
        let listener = listener.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (counted, more) = (sent.clone(), Arc::new(more));
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                let (counted, more) = (counted.clone(), more.clone());
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = caller.read(&mut request).await;
                    let _ = caller.write_all(head.as_bytes()).await;
                    while caller.write_all(more.as_bytes()).await.is_ok() {
                        counted.fetch_add(more.len(), Ordering::SeqCst);
                    }
                });
            }
        });
        (bucket_at(endpoint), sent)
    }

    #[tokio::test]
    async fn of_an_answer_without_an_end_no_more_is_read_than_an_answer_has() {
        for head in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\n\r\n<Error><Code>AccessDenied</Code>",
        ] {
            let (content, sent) = endless(head, " ".repeat(64 * 1024)).await;
            let looked = content.is_empty("acme_globex").await;
            let told = looked.expect_err("no list").to_string();
            let expected = "Of the object store: its answer broke off, or is too large.";
            assert!(told.ends_with(expected), "{told}");
            // Beside what was read, what the kernel takes in between.
            let sent = sent.load(Ordering::SeqCst);
            assert!(sent < 32 * 1024 * 1024, "{sent}");
        }
    }

    #[tokio::test]
    async fn a_list_that_never_comes_to_its_last_page_is_given_up() {
        const PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated>\
            <NextContinuationToken>again</NextContinuationToken></ListBucketResult>";
        let (content, asked) = answering(http::StatusCode::OK, None, PAGE).await;
        let last = LastAnswer::default();
        let list = async {
            let mut objects = content.store(&last)?.list(None);
            objects.try_next().await
        };
        let longest = Duration::from_millis(500);
        let look = content.ask(
            "acme_globex",
            "could not be looked at",
            longest,
            &last,
            list,
        );
        let told = look.await.expect_err("no last page").to_string();
        assert!(told.ends_with("it did not answer in time."), "{told}");
        assert!(asked.load(Ordering::SeqCst) > 1);
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_left_for_the_next_try_before_a_minute_is_over() {
        // The kernel takes connections; nobody reads what comes by them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("an address");
        let content = bucket_at(format!("http://{address}"));
        let minute = Duration::from_secs(60);
        let fence = Fence::open();
        let deletion = content.delete("acme_globex", Duration::ZERO, &fence);
        let outcome = tokio::time::timeout(minute, deletion).await;
        let error = outcome.expect("it is given up").expect_err("no answer");
        assert!(error.is_transient() && error.to_string().contains("acme_globex"));
    }
}
