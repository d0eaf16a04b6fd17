//! A Kubernetes client whose connections carry nothing once the fence is shut.
//!
//! The fence is asked where bytes are handed to the kernel: a request may wait long for a
//! connection, for TLS or for a retry after the code that made it was last asked.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::retry::RetryPolicy;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::{Client, Config};
use tower::retry::RetryLayer;
use tower::timeout::TimeoutLayer;
use tower::{BoxError, Service, ServiceBuilder};

use crate::leadership::fence::Fence;

/// Three tries in about a second; after that the reconcile fails, says so and comes back.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(1);
const RETRIES: u32 = 3;

/// The client of `config`, for as long as `fence` is open. No request waits for its answer longer than
/// `deadline`, retries included; what a watch brings after the answer's head may take as long as it
/// likes.
///
/// # Errors
/// Credentials or authorities in `config` cannot be used.
pub fn fenced_client(config: &Config, fence: Fence, deadline: Duration) -> anyhow::Result<Client> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let connector = Fenced { inner: http, fence };
    let mut connector =
        TimeoutConnector::new(config.rustls_https_connector_with_connector(connector)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let http =
        hyper_util::client::legacy::Builder::new(TokioExecutor::new()).build::<_, Body>(connector);
    let retry = RetryPolicy::new(FIRST_RETRY, LAST_RETRY, RETRIES, true)?;
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(deadline))
        .layer(config.base_uri_layer())
        .layer(RetryLayer::new(retry))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

/// A connector, and the connections that it makes.
#[derive(Clone)]
struct Fenced<T> {
    inner: T,
    fence: Fence,
}

impl Service<Uri> for Fenced<HttpConnector> {
    type Response = Fenced<<HttpConnector as Service<Uri>>::Response>;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let fence = self.fence.clone();
        Box::pin(async move {
            let inner = connecting.await?;
            Ok(Fenced { inner, fence })
        })
    }
}

impl<T: Connection> Connection for Fenced<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

impl<T: Read + Unpin> Read for Fenced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Fenced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.fence.check()?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        self.fence.check()?;
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::WatchParams;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    const DEADLINE: Duration = Duration::from_millis(50);

    /// An API server that answers with `answer`.
    async fn api<F: Future<Output = ()> + Send>(
        answer: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Api<ConfigMap> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                answer(stream).await;
            }
        });
        let config = Config::new(url.parse().expect("a URL"));
        Api::namespaced(
            fenced_client(&config, Fence::open(), DEADLINE).expect("a client"),
            "acme",
        )
    }

    #[tokio::test]
    async fn a_request_that_nobody_answers_fails() {
        let api = api(|stream| async move {
            let _open = stream;
            std::future::pending().await
        })
        .await;
        let asked = tokio::time::timeout(100 * DEADLINE, api.get("config")).await;
        assert!(asked.expect("an end").is_err());
    }

    #[tokio::test]
    async fn a_watch_may_be_silent_for_longer_than_a_request_may_take() {
        let api = api(|mut stream| async move {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
            stream.write_all(head.as_bytes()).await.expect("sent");
            tokio::time::sleep(3 * DEADLINE).await;
            let event = r#"{"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"late"}}}"#;
            stream.write_all(event.as_bytes()).await.expect("sent");
            stream.write_all(b"\n").await.expect("sent");
        })
        .await;
        let watch = api.watch(&WatchParams::default(), "0").await;
        let mut watch = Box::pin(watch.expect("a watch"));
        assert!(watch.next().await.expect("an event").is_ok());
    }
}
