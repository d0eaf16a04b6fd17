//! A Prometheus, and a pod for it to scrape that counts what a case tells it.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::Result;
use docket_testing_support::{Process, scraper};
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::proxy::Proxy;

/// Requests of a client at each scrape, which comes every second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// Answered at once.
    pub(crate) good: u64,
    /// Answered after half a second.
    pub(crate) slow: u64,
    /// Answered with 503.
    pub(crate) failed: u64,
}

/// Both; they end on drop.
#[derive(Debug)]
pub(crate) struct Prometheus {
    _process: Process,
    _pod: Proxy,
    counted: Arc<Mutex<Counted>>,
    url: String,
}

#[derive(Debug, Default)]
struct Counted {
    traffic: Traffic,
    total: Traffic,
    /// What the collector of the pod says of itself.
    collector: String,
}

impl Prometheus {
    /// Starts them; the pod is one of the tenant `tenant` in `namespace`. Files go to `folder`.
    pub(crate) async fn start(folder: &Path, namespace: &str, tenant: &str) -> Result<Self> {
        let counted = Arc::new(Mutex::new(Counted::default()));
        let of_pod = counted.clone();
        let pod = Proxy::start(move |stream| serve(of_pod.clone(), stream)).await?;
        let folder = folder.join(format!("prometheus-{namespace}"));
        let labels = json!({"namespace": namespace, "docket_tenant": tenant});
        let (process, url) = scraper(&folder, &pod.address.to_string(), &labels)?;
        Ok(Self {
            _process: process,
            _pod: pod,
            counted,
            url,
        })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What the pod's collector says of itself from now on, in Prometheus' format.
    pub(crate) fn collector_says(&self, text: &str) {
        lock(&self.counted).collector = text.to_owned();
    }

    /// What clients ask from now on.
    pub(crate) fn sees(&self, traffic: Traffic) {
        lock(&self.counted).traffic = traffic;
    }
}

fn lock(counted: &Mutex<Counted>) -> MutexGuard<'_, Counted> {
    counted.lock().expect("no holder of this lock panics")
}

async fn serve(counted: Arc<Mutex<Counted>>, stream: TcpStream) {
    let service = service_fn(move |_| {
        let text = lock(&counted).scraped();
        async move { Ok::<_, Infallible>(Response::new(Full::new(bytes::Bytes::from(text)))) }
    });
    // A Prometheus that ends leaves its connection as it is.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Counted {
    /// The series of the pod, one scrape later. Before the first traffic there are none.
    fn scraped(&mut self) -> String {
        let Traffic { good, slow, failed } = self.traffic;
        self.total.good += good;
        self.total.slow += slow;
        self.total.failed += failed;
        let Traffic { good, slow, failed } = self.total;
        if good + slow + failed == 0 {
            return self.collector.clone();
        }
        let of = r#"docket_workload="documents",method="GET",path="/clients/{client}/documents""#;
        let answered = good + slow;
        let bucket = "http_request_duration_seconds_bucket";
        format!(
            "# TYPE http_requests_total counter\n\
             http_requests_total{{{of},status=\"200\"}} {answered}\n\
             http_requests_total{{{of},status=\"503\"}} {failed}\n\
             # TYPE http_request_duration_seconds histogram\n\
             {bucket}{{{of},status=\"200\",le=\"0.3\"}} {good}\n\
             {bucket}{{{of},status=\"200\",le=\"1\"}} {answered}\n\
             {bucket}{{{of},status=\"200\",le=\"+Inf\"}} {answered}\n\
             http_request_duration_seconds_count{{{of},status=\"200\"}} {answered}\n{}",
            self.collector
        )
    }
}
