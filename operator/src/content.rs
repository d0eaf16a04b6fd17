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
        let deleted = match self.store(&last) {
            Ok(store) => delete_from(&store, schema, turn, fence.clone()).await,
            Err(error) => Err(error),
        };
        deleted.map_err(|_| self.unavailable(schema, "could not be deleted", &last))
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
        read.await.map_err(|_: object_store::Error| {
            self.unavailable(schema, "could not be looked at", &last)
        })
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
        look.await.map_err(|_: object_store::Error| {
            self.unavailable(schema, "could not be looked at", &last)
        })
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
        let written = write.await;
        written.map(|_| ()).map_err(|_: object_store::Error| {
            self.unavailable(schema, "could not be handed over", &last)
        })
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
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
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
        let storage = S3Storage {
            bucket: "acme".into(),
            endpoint,
            region: "us-east-1".into(),
        };
        let key = || ByteString(b"key".to_vec());
        let secret = [ACCESS_KEY_ID, SECRET_ACCESS_KEY].map(|name| (name.to_owned(), key()));
        let content = Content::from_secret(&storage, &secret.into()).expect("a whole Secret");
        (content, asked)
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

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_left_for_the_next_try_before_a_minute_is_over() {
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The kernel takes connections; nobody reads what comes by them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let storage = S3Storage {
            bucket: "acme".into(),
            endpoint: format!("http://{}", silent.local_addr().expect("an address")),
            region: "us-east-1".into(),
        };
        let key = || ByteString(b"key".to_vec());
        let secret = [ACCESS_KEY_ID, SECRET_ACCESS_KEY].map(|name| (name.to_owned(), key()));
        let content = Content::from_secret(&storage, &secret.into()).expect("a whole Secret");
        let minute = Duration::from_secs(60);
        let fence = Fence::open();
        let deletion = content.delete("acme_globex", Duration::ZERO, &fence);
        let outcome = tokio::time::timeout(minute, deletion).await;
        let error = outcome.expect("it is given up").expect_err("no answer");
        assert!(error.is_transient() && error.to_string().contains("acme_globex"));
    }
}
