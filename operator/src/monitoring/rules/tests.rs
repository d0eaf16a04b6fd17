use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;

use docket_objectives::{Indicator, Objective, Window};
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use kube::runtime::reflector;
use kube::runtime::watcher::Event;
use serde_json::Value;
use tower::service_fn;

use super::*;

#[derive(Clone, Debug, Default)]
struct Cluster(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// ConfigMaps by their names.
    objects: BTreeMap<String, Value>,
    /// Names of those that were written.
    written: Vec<String>,
    version: u64,
}

impl Cluster {
    fn writer(&self, most: usize) -> Writer {
        Writer {
            api: Api::namespaced(self.client(), "monitoring"),
            place: ConfigMaps {
                namespace: "monitoring".into(),
                name: "docket-rules".into(),
                most,
                tenants_of: Vec::new(),
            },
            known: Vec::new(),
            metrics: Metrics::default(),
        }
    }

    fn client(&self) -> Client {
        let cluster = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.expect("a body");
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let path = parts.uri.path();
                let name = path
                    .strip_prefix("/api/v1/namespaces/monitoring/configmaps/")
                    .expect(path);
                let (status, answer) = cluster.answer(&parts.method, name, body);
                let response = Response::builder().status(status);
                let body = Body::from(answer.to_string().into_bytes());
                Ok::<_, Infallible>(response.body(body).expect("a response"))
            }
        });
        Client::new(service, "default")
    }

    fn answer(&self, method: &Method, name: &str, mut body: Value) -> (StatusCode, Value) {
        let mut known = self.0.lock().expect("no panic");
        if *method == Method::PATCH {
            known.written.push(name.to_owned());
            known.version += 1;
            body["metadata"]["resourceVersion"] = known.version.to_string().into();
            known.objects.insert(name.to_owned(), body);
        }
        match known.objects.get(name) {
            Some(object) => (StatusCode::OK, object.clone()),
            None => {
                let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "reason": "NotFound", "message": "not found", "code": 404});
                (StatusCode::NOT_FOUND, status)
            }
        }
    }

    /// Names of what was written since this was last asked.
    fn written(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic").written)
    }

    fn remove(&self, name: &str) {
        self.0.lock().expect("no panic").objects.remove(name);
    }
}

fn files(all: &[(&str, usize)]) -> Files {
    let file = |(name, size): &(&str, usize)| ((*name).to_owned(), "x".repeat(*size));
    all.iter().map(file).collect()
}

#[tokio::test]
async fn what_is_as_it_should_be_is_not_written_again_not_even_by_the_next_operator() {
    let cluster = Cluster::default();
    let mut writer = cluster.writer(8);
    writer.write(Files::new()).await.expect("nothing to do");
    assert!(cluster.written().is_empty());
    let wanted = files(&[("acme_acme.yaml", 10), ("acme_globex.yaml", 20)]);
    for _ in 0..3 {
        writer.write(wanted.clone()).await.expect("written");
    }
    cluster.writer(8).write(wanted.clone()).await.expect("read");
    assert_eq!(cluster.written(), ["docket-rules"]);
    cluster.remove("docket-rules");
    writer.write(wanted).await.expect("written");
    assert_eq!(cluster.written(), ["docket-rules"]);
    writer.write(Files::new()).await.expect("emptied");
    assert_eq!(cluster.written(), ["docket-rules"]);
}

#[tokio::test]
async fn a_second_config_map_takes_what_the_first_has_no_room_for() {
    let cluster = Cluster::default();
    let most = shards::MOST - 20;
    let both = files(&[("a_a.yaml", most), ("b_b.yaml", most)]);
    cluster
        .writer(2)
        .write(both.clone())
        .await
        .expect("written");
    assert_eq!(cluster.written(), ["docket-rules", "docket-rules-1"]);
    let mut next = cluster.writer(2);
    next.write(files(&[("b_b.yaml", most)]))
        .await
        .expect("written");
    assert_eq!(cluster.written(), ["docket-rules"]);
}

/// The rules file of a tenant `number` with two objectives.
fn file_of(number: usize) -> (String, String) {
    let name = format!("tenant-{number}");
    let objective = |objective: &str, indicator| Objective {
        namespace: name.clone(),
        tenant: name.clone(),
        name: objective.into(),
        target: "99.9".parse().expect("a target"),
        workload: None,
        indicator,
        window: Window::days(30),
    };
    let tenant = Tenant {
        namespace: name.clone(),
        name: name.clone(),
        objectives: vec![
            objective("availability", Indicator::Availability),
            objective("latency", Indicator::Latency { threshold: 300 }),
        ],
        least_traffic: Some(100),
    };
    let links = Links {
        runbooks: Some("https://docs.example.com/docket/runbooks".into()),
        dashboards: Some("https://grafana.example.com".into()),
    };
    file(&tenant, &links).expect("rules can be written")
}

#[test]
fn rules_that_cannot_be_written_are_an_error_and_no_empty_file() {
    struct Unwritable;
    impl Serialize for Unwritable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not in words"))
        }
    }
    let error = text(&[Unwritable]).expect_err("there is nothing to write");
    assert!(error.to_string().contains("not in words"), "{error}");
}

#[test]
fn a_file_is_what_prometheus_reads() {
    let (name, text) = file_of(1);
    assert_eq!(name, "tenant-1_tenant-1.yaml");
    let start = "groups:\n- name: docket-presence-tenant-1-tenant-1\n";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn eight_config_maps_hold_as_many_tenants_as_the_chart_says() {
    let sharing = share((0..340).map(file_of).collect(), Vec::new(), 8);
    assert!(sharing.left_out.is_empty(), "{:?}", sharing.left_out);
}

#[test]
fn a_tenant_that_is_being_deleted_has_no_file_any_more() {
    let (tenants, mut writer) = reflector::store();
    for (name, deleted) in [("stays", None), ("goes", Some("2026-11-28T12:00:00Z"))] {
        let tenant = json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": name, "namespace": "acme", "uid": name, "deletionTimestamp": deleted},
            "spec": {"clients": [], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}}}},
        });
        let tenant = serde_json::from_value(tenant).expect("a tenant");
        writer.apply_watcher_event(&Event::Apply(tenant));
    }
    let files = super::files(&tenants, &[], &Links::default()).expect("rules can be written");
    assert_eq!(
        files.into_keys().collect::<Vec<_>>(),
        ["acme_stays.yaml", SHARED]
    );
}
