//! What `docketctl` does to a tenant, with a real operator and a real API server: see `testing/fault-matrix/`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_cli::arguments::Arguments;
use docket_cli::problem::{Exit, Problem};
use docket_cli::screen::Screen;
use docket_crds::{annotations, names};
use docket_fault_matrix::{Ground, World};
use serde_json::{Value, json};

const TENANT: &str = "acme";

/// Somebody with a kubeconfig, and a manifest to edit.
struct User {
    world: World,
    manifest: PathBuf,
}

impl User {
    async fn start() -> Self {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_docket-operator"));
        let ground = Arc::new(Ground::prepare(binary).await.expect("a control plane"));
        let world = World::make(ground, Duration::from_secs(30)).await;
        let world = world.expect("a world");
        let manifest = world.ground.plane.folder().join("acme.yaml");
        Self { world, manifest }
    }

    /// Runs `docketctl` with the words of `line`; returns its pages.
    async fn says(&self, line: &str) -> Result<String, Problem> {
        let kubeconfig = self.world.ground.plane.folder().join("kubeconfig");
        let kubeconfig = kubeconfig.to_str().expect("UTF-8").to_owned();
        let words = std::iter::once("docketctl")
            .chain(line.split_whitespace())
            .chain(["-n", &self.world.namespace, "--kubeconfig", &kubeconfig])
            .map(Into::into);
        let arguments = Arguments::read("docketctl", words).expect("a command line");
        let (mut pages, mut notes) = (Vec::new(), Vec::new());
        let result = docket_cli::run(arguments, &mut Screen::written(&mut pages, &mut notes)).await;
        let pages = String::from_utf8(pages).expect("UTF-8");
        eprintln!(
            "$ docketctl {line}\n{}{pages}",
            String::from_utf8_lossy(&notes)
        );
        result
            .inspect_err(|problem| eprintln!("{problem}"))
            .map(|()| pages)
    }

    /// The same, where the answer is to be no; returns the sentences.
    async fn refuses(&self, line: &str, exit: Exit) -> String {
        let problem = self.says(line).await.expect_err(line);
        assert_eq!(problem.exit, exit, "{problem}");
        problem.to_string()
    }

    fn spec(&self, clients: &[&str]) -> Value {
        let mut spec = self.world.spec();
        spec["clients"] = clients.iter().map(|name| json!({"name": name})).collect();
        spec
    }

    /// Writes a manifest with this spec, as YAML is: JSON is some.
    fn writes(&self, spec: &Value) {
        let manifest = json!({"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": TENANT}, "spec": spec});
        std::fs::write(&self.manifest, manifest.to_string()).expect("written");
    }

    async fn tenant(&self) -> Value {
        self.world
            .tenant(TENANT)
            .await
            .expect("an answer")
            .expect("the tenant")
    }

    /// Names of the clients in the spec, and of those that exist.
    async fn clients(&self) -> [Vec<String>; 2] {
        let tenant = self.tenant().await;
        ["spec", "status"].map(|part| {
            let clients = tenant[part]["clients"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let names = clients
                .iter()
                .map(|it| it["name"].as_str().unwrap_or_default().to_owned());
            names.collect()
        })
    }

    async fn secret(&self, name: &str) -> Value {
        let path = format!("{}/{name}", self.world.path("api/v1", "secrets"));
        let admin = &self.world.ground.plane.admin;
        admin
            .get(&path)
            .await
            .expect("an answer")
            .expect("a Secret")
    }

    async fn expect_untouched(&self, before: &Value) {
        let now = self.tenant().await;
        assert_eq!(now["spec"], before["spec"]);
        assert_eq!(
            now["metadata"]["annotations"],
            before["metadata"]["annotations"]
        );
        self.world
            .ready(TENANT)
            .await
            .expect("the operator goes on");
        assert_eq!(
            self.tenant().await["status"]["clients"],
            before["status"]["clients"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_looked_at_planned_rotated_and_adopted_with_docketctl() {
    let user = User::start().await;
    looks(&user).await;
    plans(&user).await;
    rotates(&user).await;
    adopts(&user).await;
    user.world.end().await.expect("an end");
}

async fn looks(user: &User) {
    let told = user.refuses("status acme", Exit::CouldNotRun).await;
    assert!(
        told.contains("There is no DocumentTenant that you may see"),
        "{told}"
    );
    user.world
        .create(TENANT, &user.spec(&["globex"]))
        .await
        .expect("a tenant");
    user.world.ready(TENANT).await.expect("ready");

    let told = user.refuses("status acne", Exit::CouldNotRun).await;
    assert!(
        told.contains(&format!("Did you mean {}/acme?", user.world.namespace)),
        "{told}"
    );
    let story = user.says("status acme").await.expect("a story");
    for part in [
        "acme is Ready, since",
        "1 of 1 pods serve the spec",
        "Provisioned",
        "acme_globex_",
        "logins    issued",
        "reconcile",
        "├─ dereference",
        "Normal  Applied",
        "created schema acme_globex_",
    ] {
        assert!(story.contains(part), "{part} is not in\n{story}");
    }
    let applied = story.find("Normal  Applied").expect("told");
    assert!(
        applied < story.find("Normal  Ready").expect("told"),
        "Events are in their order"
    );
    let list = user.says("status").await.expect("a list");
    assert!(
        list.contains(&format!("{}/acme  True ", user.world.namespace)),
        "{list}"
    );
}

async fn plans(user: &User) {
    let before = user.tenant().await;
    let file = user.manifest.display();
    user.writes(&user.spec(&["globex", "initech"]));

    // Nobody can be asked here, and nobody said --apply.
    let page = user
        .says(&format!("plan acme -f {file}"))
        .await
        .expect("a plan");
    assert!(page.contains("+  create  schema acme_initech_"), "{page}");
    assert!(page.contains("acme is as it was before"), "{page}");
    user.expect_untouched(&before).await;

    let mut wrong = user.spec(&["globex"]);
    wrong["api"]["replica"] = 3.into();
    user.writes(&wrong);
    let told = user
        .refuses(&format!("plan acme -f {file}"), Exit::CouldNotRun)
        .await;
    assert!(told.contains("no field spec.api.replica;"), "{told}");
    user.expect_untouched(&before).await;

    let mut wrong = user.spec(&["globex"]);
    wrong["database"]["secretRef"]["name"] = "absent".into();
    user.writes(&wrong);
    let told = user
        .refuses(&format!("plan acme -f {file}"), Exit::No)
        .await;
    assert!(
        told.contains("SecretNotFound: Create the Secret absent"),
        "{told}"
    );
    assert!(told.contains("acme is as it was before"), "{told}");
    user.expect_untouched(&before).await;

    user.writes(&user.spec(&["globex", "initech"]));
    let page = user
        .says(&format!("plan acme -f {file} --keep"))
        .await
        .expect("a plan");
    assert!(page.contains("acme holds still"), "{page}");
    assert_eq!(
        user.clients().await,
        [vec!["globex", "initech"], vec!["globex"]]
    );
    let story = user.says("status acme").await.expect("a story");
    assert!(story.contains("Planned for generation "), "{story}");
    let told = user.refuses("rotate acme", Exit::No).await;
    assert!(
        told.contains(&format!(
            "holds still, because the annotation {} is true",
            annotations::PLAN
        )),
        "{told}"
    );
    user.says("plan acme --discard").await.expect("put back");
    user.expect_untouched(&before).await;
    user.refuses("plan acme --discard", Exit::No).await;

    user.says(&format!("plan acme -f {file} --apply"))
        .await
        .expect("carried out");
    user.world.ready(TENANT).await.expect("ready");
    assert_eq!(
        user.clients().await,
        [vec!["globex", "initech"], vec!["globex", "initech"]]
    );
    let page = user.says("plan acme").await.expect("a plan");
    assert!(page.contains("nothing would be changed"), "{page}");
    user.world.ready(TENANT).await.expect("it goes on");
}

async fn rotates(user: &User) {
    let roles = async || -> Vec<Value> {
        let clients = user.tenant().await["status"]["clients"].as_array().cloned();
        clients
            .expect("clients")
            .iter()
            .map(|it| it["role"].clone())
            .collect()
    };
    let before = (
        roles().await,
        user.secret(&names::api_keys_secret("acme")).await["data"].clone(),
    );
    let page = user.says("rotate acme --wait").await.expect("rotated");
    assert!(
        page.starts_with("Rotated the logins and the API keys in "),
        "{page}"
    );
    let after = (
        roles().await,
        user.secret(&names::api_keys_secret("acme")).await["data"].clone(),
    );
    for (old, new) in before.0.iter().zip(&after.0) {
        assert_ne!(old, new);
    }
    for client in ["globex", "initech"] {
        assert_ne!(before.1[client], after.1[client]);
        assert_eq!(before.1[client], after.1[names::previous_key_entry(client)]);
    }
    let clients = user.tenant().await["status"]["clients"].clone();
    let retiring = clients
        .as_array()
        .expect("clients")
        .iter()
        .any(|it| it["retiring"].is_string());
    assert!(!retiring, "{clients}");
    user.world.ready(TENANT).await.expect("ready");
    let story = user.says("status acme").await.expect("a story");
    assert!(story.contains("logins    rotated"), "{story}");
}

async fn adopts(user: &User) {
    let before = user.tenant().await;
    for (client, sentence) in [
        ("hooli", "nothing was retained under that name"),
        ("initech", "it has its schema, and is served from it"),
    ] {
        let told = user
            .refuses(&format!("adopt acme {client}"), Exit::No)
            .await;
        assert!(told.contains(sentence), "{told}");
        user.expect_untouched(&before).await;
    }
    user.writes(&user.spec(&["globex"]));
    let file = user.manifest.display();
    let page = user
        .says(&format!("plan acme -f {file} --apply"))
        .await
        .expect("carried out");
    assert!(page.contains("-  retain  schema acme_initech_"), "{page}");
    let start = Instant::now();
    while user.clients().await[1].len() > 1 {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "initech never goes"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = user.says("adopt acme initech").await.expect("adopted");
    assert!(page.starts_with("initech has taken over"), "{page}");
    let tenant = user.tenant().await;
    assert_eq!(tenant["spec"]["clients"][1]["name"], "initech");
    let adopts = &tenant["spec"]["clients"][1]["adopt"];
    assert_ne!(adopts, true, "it was for once");
    assert!(
        tenant["metadata"]["annotations"]
            .get(annotations::PLAN)
            .is_none()
    );
    let story = user.says("status acme").await.expect("a story");
    assert!(story.contains("adopted schema acme_initech_"), "{story}");
}
