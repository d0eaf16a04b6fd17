//! One case's part of the ground: a namespace, a database, an operator, and the proxies between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use docket_crds::{ConditionType, labels};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::gateway::Gateway;
use crate::ground::Ground;
use crate::kubernetes::Kubernetes;
use crate::object_store::{BUCKET, KEY};
use crate::operator::Operator;
use crate::postgres::{ADMIN, PASSWORD};
use crate::script::Script;
use crate::wire::Wire;

/// A busy machine may take long, and what is broken takes for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// How long an operator waits for an answer where none is held back.
pub(crate) const UNHURRIED: Duration = Duration::from_secs(30);
/// How often is looked whether something has come about.
pub(crate) const LOOK: Duration = Duration::from_millis(150);

/// A namespace, a database, an operator, and the proxies between.
#[derive(Debug)]
pub struct World {
    /// What it stands on.
    pub ground: Arc<Ground>,
    /// The namespace, all that the operator sees.
    pub namespace: String,
    /// The database.
    pub database: String,
    /// What goes between the operator and the rest.
    pub script: Arc<Script>,
    /// The operator.
    pub operator: Arc<Operator>,
    /// Between the operator and the API server.
    pub gateway: Gateway,
    pub(crate) wire: Wire,
    kubelet: JoinHandle<()>,
}

impl World {
    /// Makes a world, with the Secrets that tenants name, and starts its operator, which waits for
    /// an answer until `deadline`.
    ///
    /// # Errors
    /// The ground does not answer.
    pub async fn make(ground: Arc<Ground>, deadline: Duration) -> Result<Self> {
        let namespace = ground.next_name();
        Self::told(ground, deadline, namespace, &[]).await
    }

    /// The same in `namespace`, and its operator has these arguments, too.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub async fn told(
        ground: Arc<Ground>,
        deadline: Duration,
        namespace: String,
        arguments: &[String],
    ) -> Result<Self> {
        let upstream = ground.plane.as_operator()?;
        make_namespace(&ground, &namespace).await?;
        let shown = Some(namespace.clone());
        Self::with(ground, deadline, namespace, (upstream, shown), arguments).await
    }

    /// The same, and its operator cares for its namespace alone, with rights in no other.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub async fn of_one_namespace(ground: Arc<Ground>, deadline: Duration) -> Result<Self> {
        let namespace = ground.next_name();
        make_namespace(&ground, &namespace).await?;
        let lease = format!("docket-operator-{namespace}");
        let upstream = ground.plane.as_operator_of(&namespace, &lease).await?;
        let arguments = [format!("--namespace={namespace}")];
        Self::with(ground, deadline, namespace, (upstream, None), &arguments).await
    }

    /// With the API server as the operator may ask it, and the one namespace that it is shown.
    async fn with(
        ground: Arc<Ground>,
        deadline: Duration,
        namespace: String,
        (upstream, shown): (Kubernetes, Option<String>),
        arguments: &[String],
    ) -> Result<Self> {
        let script = Arc::new(Script::default());
        let gateway = Gateway::start(upstream, shown, script.clone()).await?;
        let wire = Wire::start(ground.postgres.socket(), script.clone()).await?;
        let operator = Operator::new(
            &ground.binary,
            ground.plane.folder(),
            &gateway.url(),
            &namespace,
            deadline,
        )?;
        let operator = Arc::new(operator.told(arguments));
        gateway.serves(operator.clone());
        wire.serves(operator.clone());
        ground.postgres.create_database(&namespace).await?;
        let world = Self {
            database: namespace.clone(),
            ground,
            namespace,
            script,
            operator: operator.clone(),
            gateway,
            wire,
            kubelet: tokio::spawn(revive(operator)),
        };
        world.furnish().await?;
        world.operator.start()?;
        Ok(world)
    }

    async fn furnish(&self) -> Result<()> {
        let address = self.wire.address();
        let database = json!({
            "host": address.ip().to_string(), "port": address.port().to_string(),
            "dbname": self.database, "username": ADMIN, "password": PASSWORD, "sslmode": "disable",
        });
        self.put_secret("docket-database", &database).await?;
        let s3 = json!({"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY});
        self.put_secret("docket-s3", &s3).await
    }

    /// Creates a Secret with these entries.
    ///
    /// # Errors
    /// It is there already.
    pub async fn put_secret(&self, name: &str, entries: &Value) -> Result<()> {
        self.put_labelled_secret(name, entries, json!({})).await
    }

    /// The same with a label by which it may be sent away as `what`.
    ///
    /// # Errors
    /// It is there already.
    pub async fn put_secret_allowed_as(
        &self,
        name: &str,
        what: &str,
        entries: &Value,
    ) -> Result<()> {
        self.put_labelled_secret(name, entries, json!({labels::ALLOWED_AS: what}))
            .await
    }

    async fn put_labelled_secret(&self, name: &str, entries: &Value, labels: Value) -> Result<()> {
        let secret = json!({"metadata": {"name": name, "labels": labels}, "stringData": entries});
        let path = self.path("api/v1", "secrets");
        self.ground.plane.admin.create(&path, &secret).await?;
        Ok(())
    }

    /// Path of a collection in the namespace.
    #[must_use]
    pub fn path(&self, group: &str, resource: &str) -> String {
        format!("/{group}/namespaces/{}/{resource}", self.namespace)
    }

    /// Path of a tenant.
    #[must_use]
    pub fn tenant_path(&self, name: &str) -> String {
        let tenants = self.path("apis/docket.dev/v1alpha1", "documenttenants");
        format!("{tenants}/{name}")
    }

    /// The part of a spec that all tenants of this world share.
    #[must_use]
    pub fn spec(&self) -> Value {
        json!({
            "database": {"secretRef": {"name": "docket-database"}},
            "workloads": {"documents": {"storage": {"s3": {"bucket": BUCKET, "endpoint": self.ground.objects.endpoint(),
                "secretRef": {"name": "docket-s3"}}}}},
            "api": {"replicas": 1},
        })
    }

    /// Creates a tenant.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn create(&self, name: &str, spec: &Value) -> Result<()> {
        let tenant = json!({"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": name}, "spec": spec});
        let path = self.path("apis/docket.dev/v1alpha1", "documenttenants");
        self.ground.plane.admin.create(&path, &tenant).await?;
        Ok(())
    }

    /// Changes a tenant by a merge patch.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn change(&self, name: &str, change: &Value) -> Result<()> {
        let path = self.tenant_path(name);
        self.ground.plane.admin.merge(&path, change).await?;
        Ok(())
    }

    /// Gives a tenant another spec, of which nothing is left over.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn replace(&self, name: &str, spec: &Value) -> Result<()> {
        let patch = json!([{"op": "replace", "path": "/spec", "value": spec}]);
        let path = self.tenant_path(name);
        self.ground.plane.admin.patch(&path, &patch).await?;
        Ok(())
    }

    /// Deletes a tenant, without waiting for its end.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let path = self.tenant_path(name);
        self.ground.plane.admin.delete(&path).await
    }

    /// A tenant as it is now.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn tenant(&self, name: &str) -> Result<Option<Value>> {
        self.ground.plane.admin.get(&self.tenant_path(name)).await
    }

    /// Waits until a tenant is ready as its spec asks.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn ready(&self, name: &str) -> Result<()> {
        self.until(|| async {
            let tenant = self.tenant(name).await?.unwrap_or_default();
            Ok(match is_met(&tenant, "True") {
                true => Ok(()),
                false => Err(format!("{name} is not ready: {}", tenant["status"])),
            })
        })
        .await
    }

    /// Waits until a condition of a tenant has this status and reason; returns the condition.
    ///
    /// # Errors
    /// It has others.
    pub(crate) async fn says(
        &self,
        name: &str,
        type_: ConditionType,
        status: &str,
        reason: &str,
    ) -> Result<Condition> {
        self.until(|| async {
            let tenant = self.tenant(name).await?.unwrap_or_default();
            Ok(match condition(&tenant["status"], type_) {
                Some(found) if found.status == status && found.reason == reason => Ok(found),
                found => Err(format!(
                    "{type_} is not {status} because of {reason}: {found:?}"
                )),
            })
        })
        .await
    }

    /// Asks until there is an answer; until then `ask` says what there is instead.
    ///
    /// # Errors
    /// What `ask` fails with, and what there is instead for too long.
    pub(crate) async fn until<T, F>(&self, mut ask: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Result<T, String>>>,
    {
        let start = Instant::now();
        loop {
            match ask().await? {
                Ok(answer) => return Ok(answer),
                Err(instead) if start.elapsed() > PATIENCE => bail!(
                    "after {PATIENCE:?} {instead}\n{}",
                    self.operator.last_words()
                ),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Waits until nothing has come by for `pause`.
    ///
    /// # Errors
    /// Something always comes by.
    pub async fn quiet(&self, pause: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            let since = self
                .script
                .last()
                .map_or(start.elapsed(), |last| last.elapsed());
            if since >= pause {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("the operator never rests\n{}", self.operator.last_words());
            }
            tokio::time::sleep(pause - since).await;
        }
    }

    /// Ends the operator and takes the database away; objects stay as they are, with no pods.
    ///
    /// # Errors
    /// The ground does not answer.
    pub async fn end(self) -> Result<()> {
        self.kubelet.abort();
        self.operator.stop();
        self.ground.postgres.drop_database(&self.database).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kubelet.abort();
    }
}

pub(crate) async fn make_namespace(ground: &Ground, name: &str) -> Result<()> {
    let namespace = json!({"metadata": {"name": name}});
    let admin = &ground.plane.admin;
    admin.create("/api/v1/namespaces", &namespace).await?;
    Ok(())
}

/// As a kubelet does with a container that ends, after a pause.
async fn revive(operator: Arc<Operator>) {
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        operator.revive().expect("the operator started before");
    }
}

/// One of the conditions of a status, if it has that.
pub(crate) fn condition(status: &Value, type_: ConditionType) -> Option<Condition> {
    let conditions = Vec::deserialize(&status["conditions"]).unwrap_or_default();
    type_.among(&conditions).cloned()
}

/// Whether the condition `Ready` speaks of the current spec and has this status.
pub(crate) fn is_met(tenant: &Value, status: &str) -> bool {
    let generation = tenant["metadata"]["generation"].as_i64();
    let ready = condition(&tenant["status"], ConditionType::Ready);
    tenant["status"]["observedGeneration"].as_i64() == generation
        && ready.is_some_and(|it| it.status == status && it.observed_generation == generation)
}
