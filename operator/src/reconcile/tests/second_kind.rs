//! A kind of custom resource that is there for these tests: nothing is written for it that was not written for
//! any kind.

use docket_crds::ConditionType;
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::CustomResource;
use kube::runtime::reflector::store;
use kube::runtime::{Controller, watcher};
use serde::{Deserialize, Serialize};
use tracing::{Span, info_span};

use super::super::apply::Apply;
use super::*;
use crate::build::{DesiredChild, EachChild};
use crate::cache::caches::Filled;
use crate::cache::namespace_index::NamespaceIndex;
use crate::error::{Error, Problem};
use crate::identified::Identified;
use crate::memory::Memories;
use crate::reconciled_kind::{Next, ReconciledKind, Shared};
use crate::status::apply::apply_status;
use crate::status::timeline::Timeline;

const NOTEBOOK: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/notebooks/notes";
const STATUS: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/notebooks/notes/status";
const FINALIZER: &str = "docket.dev/pages";

/// The text of one whose reconcile panics, and its cleanup.
const TORN: &str = "torn";
/// The text of one that is not as it should be, and of which not even that can be said.
const BURNT: &str = "burnt";

/// Has a ConfigMap with its text.
#[derive(Clone, CustomResource, Debug, Deserialize, Serialize)]
#[kube(
    group = "docket.dev",
    version = "v1alpha1",
    kind = "Notebook",
    namespaced,
    status = "NotebookStatus",
    schema = "disabled"
)]
struct NotebookSpec {
    text: String,
    /// Of a cover.
    #[serde(default)]
    secret: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct NotebookStatus {
    said: String,
}

struct Notebooks {
    client: Client,
    caches: Caches,
    filled: Filled,
    memories: Memories<Notebook>,
    metrics: Metrics,
    events: Events,
}

impl ReconciledKind for Notebook {
    const FINALIZER: &'static str = FINALIZER;

    type Context = Notebooks;
    /// How often its ConfigMap was applied.
    type Memory = u32;

    fn shared(ctx: &Notebooks) -> Shared<'_, Self> {
        Shared {
            client: &ctx.client,
            caches: &ctx.caches,
            filled: &ctx.filled,
            memories: &ctx.memories,
            metrics: &ctx.metrics,
            events: &ctx.events,
        }
    }

    fn span(notebook: &Identified<Self>) -> Span {
        info_span!(parent: None, "reconcile", docket.notebook = notebook.name())
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.spec.secret.as_deref().into_iter()
    }

    async fn reconcile(
        notebook: &Identified<Self>,
        _: &mut Timeline,
        ctx: &Notebooks,
    ) -> Result<Next> {
        assert!(notebook.spec.text != TORN, "hush");
        if [String::new(), BURNT.into()].contains(&notebook.spec.text) {
            let (condition, message) = (ConditionType::Ready, "Write something.");
            let problem = Problem::new(condition, "Empty", message);
            return Err(Error::Permanent(problem));
        }
        let page: ConfigMap = serde_json::from_value(json!({
            "metadata": {"name": notebook.name(), "namespace": notebook.namespace(),
                "ownerReferences": [{"apiVersion": "docket.dev/v1alpha1", "kind": "Notebook",
                    "name": notebook.name(), "uid": notebook.uid()}]},
            "data": {"text": notebook.spec.text},
        }))
        .expect("a ConfigMap");
        Apply::of(notebook, ctx)
            .child(DesiredChild::of(page))
            .await?;
        ctx.memories.with(notebook.uid(), |applied| *applied += 1);
        say(notebook, "written", ctx).await?;
        ctx.events
            .tell(notebook, "Written", "It can be read.".into())
            .await;
        Ok(Next::Again(None))
    }

    async fn cleanup(notebook: &Identified<Self>, _: &Timeline, _: &Notebooks) -> Result<Next> {
        assert!(notebook.spec.text != TORN, "hush");
        Ok(Next::Gone)
    }

    async fn report_failure(
        notebook: &Identified<Self>,
        error: &Error,
        _: &Timeline,
        ctx: &Notebooks,
    ) -> Result<()> {
        assert!(notebook.spec.text != BURNT, "hush");
        say(notebook, error.problem().reason, ctx).await?;
        Ok(())
    }
}

async fn say(
    notebook: &Identified<Notebook>,
    said: &str,
    ctx: &Notebooks,
) -> Result<Identified<Notebook>> {
    let status = NotebookStatus { said: said.into() };
    Ok(apply_status(notebook, &status, "notebooks", ctx).await?)
}

/// The notebook `notes` as the API server keeps it, and what a user changed of it.
fn notebook(version: &str, change: Value) -> Value {
    let mut notebook = json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "Notebook",
        "metadata": {"name": "notes", "namespace": "acme", "uid": "n", "generation": 1,
            "resourceVersion": version},
        "spec": {"text": "Once upon a time", "secret": "cover"},
    });
    for (part, fields) in change.as_object().expect("fields") {
        for (field, value) in fields.as_object().expect("fields") {
            notebook[part][field] = value.clone();
        }
    }
    notebook
}

fn parsed(notebook: Value) -> Notebook {
    serde_json::from_value(notebook).expect("a notebook")
}

/// An API server that has it, and what is shared by reconciles of its kind.
fn with(notebook: &Value) -> (FakeApiServer, Arc<Notebooks>) {
    let [finalized, said] = ["2", "3"].map(|version| {
        let mut written = notebook.clone();
        written["metadata"]["resourceVersion"] = version.into();
        written
    });
    let server = FakeApiServer::default()
        .keeping(NOTEBOOK, finalized)
        .keeping(STATUS, said);
    let (_, filled) = tokio::sync::watch::channel(true);
    let memories = Memories::default();
    memories.take(&Event::Apply(parsed(notebook.clone())));
    let notebooks = Notebooks {
        client: server.client(),
        caches: Caches::default(),
        filled,
        memories,
        metrics: Metrics::default(),
        events: Events::new(server.client(), "test".into()),
    };
    (server, Arc::new(notebooks))
}

/// Verb, path and body of what was written, in order.
fn written(server: &FakeApiServer) -> Vec<(Method, String, Value)> {
    server.written.lock().expect("no panic").clone()
}

#[tokio::test]
async fn another_kind_gets_a_finalizer_children_a_status_and_events() {
    let notebook = notebook("1", json!({}));
    let (server, ctx) = with(&notebook);
    let action = reconcile(Arc::new(parsed(notebook)), ctx.clone()).await;
    assert_ne!(
        action.expect("no failure"),
        Action::await_change(),
        "it is looked at again"
    );

    let written = written(&server);
    let paths: Vec<_> = written
        .iter()
        .map(|(verb, path, _)| (verb, &**path))
        .collect();
    assert_eq!(
        paths,
        [
            (&Method::PATCH, NOTEBOOK),
            (&Method::POST, "/api/v1/namespaces/acme/configmaps"),
            (&Method::PATCH, STATUS),
            (
                &Method::POST,
                "/apis/events.k8s.io/v1/namespaces/acme/events"
            ),
        ]
    );
    let [finalizer, page, status, event] = &written[..] else {
        unreachable!("they were compared")
    };
    assert_eq!(finalizer.2["metadata"]["finalizers"], json!([FINALIZER]));
    assert_eq!(page.2["data"]["text"], "Once upon a time");
    assert_eq!(
        (&status.2["kind"], &status.2["metadata"]["uid"]),
        (&json!("Notebook"), &json!("n"))
    );
    assert_eq!(event.2["regarding"]["kind"], "Notebook");
}

#[tokio::test]
async fn another_kind_has_a_memory_of_its_own_and_reads_its_own_writes() {
    let watched = notebook("1", json!({}));
    let (_, ctx) = with(&watched);
    let watched = Arc::new(parsed(watched));
    reconcile(watched.clone(), ctx.clone())
        .await
        .expect("no failure");
    assert_eq!(ctx.memories.with("n", |applied| *applied), Some(1));
    let watched = Identified::new(watched).expect("it has an identity");
    let newest = ctx.memories.newest(watched);
    assert_eq!(newest.status.as_ref().map(|it| &*it.said), Some("written"));
    ctx.memories
        .take(&Event::Delete((*newest.object()).clone()));
    assert_eq!(ctx.memories.with("n", |applied| *applied), None);
}

#[tokio::test]
async fn what_the_user_of_another_kind_must_change_is_on_its_status_and_not_tried_again() {
    let empty = notebook("1", json!({"spec": {"text": ""}}));
    let (server, ctx) = with(&empty);
    let action = reconcile(Arc::new(parsed(empty)), ctx).await;
    assert_eq!(
        action.expect("it is the user's turn"),
        Action::await_change()
    );
    let written = written(&server);
    let (_, _, status) = written.last().expect("a status");
    assert_eq!(status["status"]["said"], "Empty");
}

/// How a reconcile ended that panicked, and what was said on the status, if anything was.
async fn panicked(notebook: Value) -> (Error, Option<String>) {
    let (server, ctx) = with(&notebook);
    let ended = reconcile(Arc::new(parsed(notebook)), ctx.clone()).await;
    let mut written = written(&server).into_iter().rev();
    let status = written.find(|(_, path, _)| path == STATUS);
    let said = status.and_then(|(_, _, it)| Some(it["status"]["said"].as_str()?.to_owned()));
    (ended.expect_err("it panicked"), said)
}

#[tokio::test]
async fn a_panic_is_said_on_the_status_of_its_object_without_what_it_quotes_and_is_tried_again() {
    let torn = json!({"spec": {"text": TORN}});
    let deleted = json!({"spec": {"text": TORN}, "metadata": {
        "deletionTimestamp": "2026-11-21T12:00:00Z", "finalizers": [FINALIZER]}});
    for change in [torn, deleted] {
        let (error, said) = panicked(notebook("1", change)).await;
        assert_eq!(said.as_deref(), Some("ReconcilePanicked"));
        assert!(matches!(error, Error::Panicked(_)) && error.is_transient());
        assert_eq!(error.category(), "panicked");
        let problem = error.problem();
        assert_eq!(problem.condition, ConditionType::Ready);
        assert!(!problem.message.contains("hush"), "{problem}");
    }
}

#[tokio::test]
async fn a_panic_while_a_failure_is_said_is_a_failure_too() {
    let (error, said) = panicked(notebook("1", json!({"spec": {"text": BURNT}}))).await;
    assert!(matches!(error, Error::Panicked(_)), "{error}");
    assert_eq!(said, None);
}

#[tokio::test]
async fn after_a_panic_the_controller_goes_on_with_the_next_object() {
    let torn = notebook("1", json!({"spec": {"text": TORN}}));
    let other = notebook("1", json!({"metadata": {"name": "other", "uid": "o"}}));
    let (server, ctx) = with(&torn);
    let other_path = "/apis/docket.dev/v1alpha1/namespaces/acme/notebooks/other";
    let server = server.keeping(other_path, other.clone());
    let ctx = Arc::new(Notebooks {
        client: server.client(),
        caches: ctx.caches.clone(),
        filled: ctx.filled.clone(),
        memories: Memories::default(),
        metrics: Metrics::default(),
        events: Events::new(server.client(), "test".into()),
    });
    let (reader, mut writer) = store();
    let both = [torn, other].map(parsed);
    let list = both.iter().cloned().map(Event::InitApply);
    for event in std::iter::once(Event::Init)
        .chain(list)
        .chain([Event::InitDone])
    {
        ctx.memories.take(&event);
        writer.apply_watcher_event(&event);
    }
    let events = stream::iter(both.map(Ok::<_, watcher::Error>)).chain(stream::pending());
    let ended = Controller::for_stream(events, reader)
        .run(
            reconcile::<Notebook>,
            |_, _, _| Action::await_change(),
            ctx.clone(),
        )
        .take(2)
        .collect::<Vec<_>>();
    let patience = Duration::from_secs(60);
    let ended = tokio::time::timeout(patience, ended).await;
    let ended = ended.expect("both were looked at");
    assert_eq!(ended.iter().filter(|it| it.is_ok()).count(), 1);
    assert_eq!(ctx.memories.with("o", |applied| *applied), Some(1));
}

#[tokio::test]
async fn an_object_of_another_kind_goes_when_what_it_left_is_dealt_with() {
    let deleted = |finalizers: Value| {
        let metadata =
            json!({"deletionTimestamp": "2026-11-21T12:00:00Z", "finalizers": finalizers});
        notebook("1", json!({"metadata": metadata}))
    };
    let ours = deleted(json!(["theirs", FINALIZER]));
    let (server, ctx) = with(&ours);
    reconcile(Arc::new(parsed(ours)), ctx)
        .await
        .expect("no failure");
    let all = written(&server);
    let [(Method::PATCH, _, patch)] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!(patch["metadata"]["finalizers"], json!(["theirs"]));

    let theirs = deleted(json!(["theirs"]));
    let (server, ctx) = with(&theirs);
    reconcile(Arc::new(parsed(theirs)), ctx)
        .await
        .expect("no failure");
    assert!(written(&server).is_empty(), "nothing of it is ours");
}

#[test]
fn an_object_of_another_kind_is_found_by_a_secret_that_it_names() {
    let (reader, mut writer) = store();
    let index = NamespaceIndex::default();
    let event = Event::Apply(parsed(notebook("1", json!({}))));
    index.take(&event);
    writer.apply_watcher_event(&event);
    let found = |secret| {
        let found = index.that_name::<Notebook>("acme", secret, &reader);
        found.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    assert_eq!(found("cover"), ["notes"]);
    assert!(found("other").is_empty());
}
