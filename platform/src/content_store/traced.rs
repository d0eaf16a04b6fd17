//! Requests to S3 carry the trace of the request that they are made for.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

/// Makes clients that send `traceparent`. It is no part of what S3 signs, so a proxy may change it.
#[derive(Debug)]
pub(super) struct Traced;

impl HttpConnector for Traced {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(TracedClient(client)))
    }
}

#[derive(Debug)]
struct TracedClient(HttpClient);

impl HttpService for TracedClient {
    fn call<'client, 'call>(
        &'client self,
        mut request: HttpRequest,
    ) -> BoxFuture<'call, Result<HttpResponse, HttpError>>
    where
        'client: 'call,
        Self: 'call,
    {
        docket_instrumentation::inject(request.headers_mut());
        self.0.execute(request).boxed()
    }
}
