//! A Kubernetes without a machine: real etcd, API server, controllers and scheduler as plain
//! processes, and kwok for nodes and pods.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use docket_loopback::free_address;
use docket_testing_support::{Process, mortal};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::fidelity::Fidelity;
use crate::kubernetes::Kubernetes;

/// Who may do everything.
const ADMIN: &str = "admin";
/// Who may do what the chart lets the operator do.
const OPERATOR: &str = "operator";
/// The same of an operator that cares for one namespace.
const OPERATOR_OF_ONE: &str = "operator-of-one";

/// Cold and beside other work, the API server needs some ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the chart gives the operator, as `helm template` renders it; `charts/test.sh` compares.
const RIGHTS: &str = include_str!("../../../charts/docket/golden/rbac.yaml");
const RIGHTS_IN_ONE: &str =
    include_str!("../../../charts/docket/golden/rbac-of-one-namespace.yaml");
const STAGES: &str = include_str!("stages.yaml");
const HTTP_ROUTES: &str = include_str!("httproutes.yaml");

/// The processes; they end on drop.
#[derive(Debug)]
pub struct ControlPlane {
    /// The API server, asked by one who may do everything.
    pub admin: Kubernetes,
    url: String,
    certificate: Vec<u8>,
    certificate_file: PathBuf,
    // Ended in this order: who is asked goes last.
    processes: Vec<Process>,
    folder: TempDir,
}

impl ControlPlane {
    /// Starts everything, with the CRD and the operator's rights in place.
    ///
    /// # Errors
    /// A command is missing, or does not come up.
    pub async fn start(fidelity: Fidelity) -> Result<Self> {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new()
            .prefix("docket-fault-matrix")
            .tempdir_in(fidelity.folder())?;
        let certificate = Certificate::make(folder.path())?;
        let tokens = folder.path().join("tokens.csv");
        std::fs::write(
            &tokens,
            format!(
                "{ADMIN},admin,admin,system:masters\n\
                 {OPERATOR},system:serviceaccount:docket:docket-operator,operator,system:serviceaccounts\n\
                 {OPERATOR_OF_ONE},{OPERATOR_OF_ONE},{OPERATOR_OF_ONE},system:serviceaccounts\n"
            ),
        )?;
        let etcd = free_address()?;
        let server = free_address()?;
        let url = format!("https://{server}");
        let trusted = std::fs::read(&certificate.certificate)?;
        let mut plane = Self {
            admin: Kubernetes::new(url.clone(), &trusted, ADMIN)?,
            url,
            certificate_file: certificate.certificate.clone(),
            certificate: trusted,
            processes: Vec::new(),
            folder,
        };
        plane.start_etcd(etcd, fidelity)?;
        plane.start_api_server(etcd, server, &certificate, &tokens)?;
        plane
            .wait_until("the API server is ready", async |admin| {
                let answer = admin.request(Method::GET, "/readyz").send().await;
                Ok(answer.is_ok_and(|answer| answer.status() == StatusCode::OK))
            })
            .await?;
        plane.install().await?;
        let kubeconfig = plane.folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, plane.kubeconfig(ADMIN))?;
        plane.start_controllers(&kubeconfig, fidelity)?;
        let stages = plane.folder.path().join("stages.yaml");
        std::fs::write(&stages, STAGES)?;
        for number in 0..fidelity.nodes() {
            let name = format!("kwok-{number}");
            plane.add_node(&name, &kubeconfig, &stages).await?;
        }
        Ok(plane)
    }

    /// The API server, asked with the operator's rights, over a connection of its own: one carries
    /// no more than a hundred watches.
    ///
    /// # Errors
    /// None that a test could see.
    pub fn as_operator(&self) -> Result<Kubernetes> {
        Kubernetes::new(self.url.clone(), &self.certificate, OPERATOR)
    }

    /// The same, with the rights that the chart gives an operator of `namespace` alone, which has its
    /// Lease there, too, under the name `lease`.
    ///
    /// # Errors
    /// The API server refuses them.
    pub async fn as_operator_of(&self, namespace: &str, lease: &str) -> Result<Kubernetes> {
        // The chart was told to watch acme, and named the Lease after it.
        let rights = RIGHTS_IN_ONE.replace("docket-operator-acme", lease);
        for mut document in documents::<Value>(&rights)? {
            let kind = document["kind"].as_str().unwrap_or_default().to_lowercase();
            // The others are for users, or given to all operators here.
            if !matches!(kind.as_str(), "role" | "rolebinding") {
                continue;
            }
            document["metadata"]["namespace"] = namespace.into();
            if kind == "rolebinding" {
                document["subjects"] = json!([{"kind": "User", "name": OPERATOR_OF_ONE,
                    "apiGroup": "rbac.authorization.k8s.io"}]);
            }
            let rights = "/apis/rbac.authorization.k8s.io/v1/namespaces";
            let path = format!("{rights}/{namespace}/{kind}s");
            self.admin.create(&path, &document).await?;
        }
        Kubernetes::new(self.url.clone(), &self.certificate, OPERATOR_OF_ONE)
    }

    /// A kubeconfig with the operator's rights.
    #[must_use]
    pub fn operator_kubeconfig(&self) -> String {
        self.kubeconfig(OPERATOR)
    }

    fn kubeconfig(&self, user: &str) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "matrix",
            "clusters": [{"name": "matrix", "cluster": {
                "server": self.url, "certificate-authority": self.certificate_file,
            }}],
            "users": [{"name": user, "user": {"token": user}}],
            "contexts": [{"name": "matrix", "context": {"cluster": "matrix", "user": user}}],
        })
        .to_string()
    }

    /// The folder that goes with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its processes.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    fn run(&mut self, tool: &str, arguments: &[String]) -> Result<()> {
        self.run_as(tool, tool, arguments)
    }

    /// `name` is that of its log.
    fn run_as(&mut self, name: &str, tool: &str, arguments: &[String]) -> Result<()> {
        let mut command = mortal(&docket_testing_support::tool(tool)?, "KILL");
        command.args(arguments);
        let log = self.folder.path().join(format!("{name}.log"));
        self.processes.insert(0, Process::start(command, log)?);
        Ok(())
    }

    fn start_etcd(&mut self, address: SocketAddr, fidelity: Fidelity) -> Result<()> {
        let peers = format!("http://{}", free_address()?);
        let data = self.folder.path().join("etcd");
        let mut arguments = vec![
            format!("--data-dir={}", data.display()),
            format!("--listen-client-urls=http://{address}"),
            format!("--advertise-client-urls=http://{address}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            // Ten thousand tenants and what they were before do not fit into the default of 2 GiB.
            "--quota-backend-bytes=8589934592".into(),
            "--log-level=warn".into(),
        ];
        if fidelity == Fidelity::Swift {
            arguments.push("--unsafe-no-fsync".into());
        }
        self.run("etcd", &arguments)
    }

    fn start_api_server(
        &mut self,
        etcd: SocketAddr,
        address: SocketAddr,
        certificate: &Certificate,
        tokens: &Path,
    ) -> Result<()> {
        let (file, key) = (certificate.certificate.display(), certificate.key.display());
        self.run(
            "kube-apiserver",
            &[
                format!("--etcd-servers=http://{etcd}"),
                format!("--bind-address={}", address.ip()),
                format!("--secure-port={}", address.port()),
                format!("--tls-cert-file={file}"),
                format!("--tls-private-key-file={key}"),
                format!("--token-auth-file={}", tokens.display()),
                "--authorization-mode=RBAC".into(),
                "--service-cluster-ip-range=10.0.0.0/16".into(),
                "--service-account-issuer=https://kubernetes.default.svc".into(),
                format!("--service-account-key-file={file}"),
                format!("--service-account-signing-key-file={key}"),
                "--endpoint-reconciler-type=none".into(),
                // The controller that would take the taint away again does not run.
                "--disable-admission-plugins=TaintNodesByCondition".into(),
                "--max-requests-inflight=3000".into(),
                "--max-mutating-requests-inflight=1500".into(),
                "--profiling=false".into(),
            ],
        )
    }

    fn start_controllers(&mut self, kubeconfig: &Path, fidelity: Fidelity) -> Result<()> {
        let controllers = match fidelity {
            Fidelity::Swift => {
                "garbage-collector-controller,namespace-controller,deployment-controller,replicaset-controller,horizontal-pod-autoscaler-controller"
            }
            // kwok renews no Leases of nodes.
            Fidelity::Real => "*,-node-lifecycle-controller",
        };
        let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
        self.run(
            "kube-controller-manager",
            &[
                kubeconfig.clone(),
                format!("--controllers={controllers}"),
                // Without metrics it keeps to its bounds, which is all that is asked of it here.
                "--horizontal-pod-autoscaler-sync-period=1s".into(),
                "--leader-elect=false".into(),
                "--secure-port=0".into(),
                // With the defaults they would be what is measured.
                "--kube-api-qps=2000".into(),
                "--kube-api-burst=4000".into(),
                "--concurrent-deployment-syncs=20".into(),
                "--concurrent-replicaset-syncs=20".into(),
            ],
        )?;
        self.run(
            "kube-scheduler",
            &[
                kubeconfig,
                "--leader-elect=false".into(),
                "--secure-port=0".into(),
                "--kube-api-qps=2000".into(),
                "--kube-api-burst=4000".into(),
            ],
        )
    }

    /// A node, and a kwok for it alone: a watch of its own that is cut shows it all of its pods again.
    async fn add_node(&mut self, name: &str, kubeconfig: &Path, stages: &Path) -> Result<()> {
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--config={}", stages.display()),
            format!("--manage-single-node={name}"),
            // Nothing here watches whether nodes live.
            "--node-lease-duration-seconds=0".into(),
        ];
        self.run_as(name, "kwok", &arguments)?;
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        self.admin.create("/api/v1/nodes", &node).await?;
        let path = format!("/api/v1/nodes/{name}");
        self.wait_until(&format!("{name} is Ready"), async |admin| {
            Ok(admin.get(&path).await?.is_some_and(|node| is_ready(&node)))
        })
        .await
    }

    /// Waits until `holds`, and no longer than all of its processes run.
    async fn wait_until(
        &mut self,
        what: &str,
        holds: impl AsyncFn(&Kubernetes) -> Result<bool>,
    ) -> Result<()> {
        let start = Instant::now();
        while !holds(&self.admin).await? {
            for process in &mut self.processes {
                if let Some(status) = process.ended() {
                    bail!(
                        "a part of the control plane ended with {status} before {what}:\n{}",
                        process.last_words()
                    );
                }
            }
            if start.elapsed() > PATIENCE {
                let words: Vec<String> = self.processes.iter().map(Process::last_words).collect();
                bail!("not within {PATIENCE:?}: {what}:\n{}", words.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The CRDs come before the controllers, so that the garbage collector knows them from the start.
    async fn install(&mut self) -> Result<()> {
        let crd = docket_crds::custom_resource_definition_yaml();
        let crds = documents::<Value>(&crd)?.into_iter();
        for document in crds.chain(documents::<Value>(HTTP_ROUTES)?) {
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            self.admin.create(path, &document).await?;
        }
        let rights = "/apis/rbac.authorization.k8s.io/v1";
        for document in documents::<Value>(RIGHTS)? {
            match document["kind"].as_str().unwrap_or_default() {
                "ClusterRole" => {
                    let path = format!("{rights}/clusterroles");
                    self.admin.create(&path, &document).await?;
                }
                "ClusterRoleBinding" => {
                    let path = format!("{rights}/clusterrolebindings");
                    self.admin.create(&path, &document).await?;
                }
                // Each operator here has its Lease in a namespace of its own.
                "Role" => {
                    let rules = json!({"rules": document["rules"]});
                    let role = cluster_wide("ClusterRole", &document, rules);
                    let path = format!("{rights}/clusterroles");
                    self.admin.create(&path, &role).await?;
                }
                "RoleBinding" => {
                    let role = cluster_wide_name(&document["roleRef"]["name"]);
                    let binding = json!({
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                        "subjects": document["subjects"],
                    });
                    let binding = cluster_wide("ClusterRoleBinding", &document, binding);
                    let path = format!("{rights}/clusterrolebindings");
                    self.admin.create(&path, &binding).await?;
                }
                kind => bail!("the chart's rights hold a {kind}, which nobody installs here"),
            }
        }
        for list in [
            "/apis/docket.dev/v1alpha1/documenttenants",
            "/apis/gateway.networking.k8s.io/v1/httproutes",
        ] {
            self.wait_until(&format!("{list} is served"), async |admin| {
                // Until its storage is there, the answer is 429.
                Ok(matches!(admin.get(list).await, Ok(Some(_))))
            })
            .await?;
        }
        Ok(())
    }
}

fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// `object` as one of the whole cluster in place of `document`.
fn cluster_wide(kind: &str, document: &Value, mut object: Value) -> Value {
    object["apiVersion"] = "rbac.authorization.k8s.io/v1".into();
    object["kind"] = kind.into();
    object["metadata"] = json!({"name": cluster_wide_name(&document["metadata"]["name"])});
    object
}

/// Another than that of what is of the whole cluster anyway.
fn cluster_wide_name(name: &Value) -> String {
    format!("{}-in-a-namespace", name.as_str().unwrap_or_default())
}

fn documents<T: DeserializeOwned>(yaml: &str) -> Result<Vec<T>> {
    serde_saphyr::from_multiple(yaml).context("the YAML cannot be read")
}
