//! What is measured on: a Kubernetes, a Postgres and an object store of their own.

use anyhow::{Context as _, Result};
use docket_fault_matrix::{ControlPlane, Fidelity, Kubernetes, ObjectStore, Postgres};
use serde_json::json;

use crate::progress;
use crate::usage::Usage;
use crate::writes;

/// The database of all tenants.
pub const DATABASE: &str = "docket";
/// Where the operator has its Lease.
pub const OPERATOR_NAMESPACE: &str = "docket";

/// All of it; it ends on drop.
pub struct Stage {
    /// Kubernetes.
    pub plane: ControlPlane,
    /// The database server.
    pub postgres: Postgres,
    /// Contents, which the operator does not touch here.
    pub objects: ObjectStore,
}

impl Stage {
    /// Starts it, as durable as in production.
    ///
    /// # Errors
    /// A command is missing, or does not come up.
    pub async fn start() -> Result<Self> {
        progress("starting Kubernetes and Postgres");
        let (plane, postgres) = tokio::try_join!(
            ControlPlane::start(Fidelity::Real),
            Postgres::start(Fidelity::Real)
        )?;
        postgres.create_database(DATABASE).await?;
        let namespace = json!({"metadata": {"name": OPERATOR_NAMESPACE}});
        plane.admin.create("/api/v1/namespaces", &namespace).await?;
        let objects = ObjectStore::start(plane.folder())?;
        Ok(Self {
            plane,
            postgres,
            objects,
        })
    }

    /// The API server, asked by one who may do everything.
    pub fn kubernetes(&self) -> &Kubernetes {
        &self.plane.admin
    }

    /// What its processes, `operator` and we ourselves have used so far.
    pub fn usage(&self, operator: Option<u32>) -> Usage {
        let mut processes = self.plane.process_ids();
        processes.push(self.postgres.id());
        processes.extend(operator);
        processes.push(std::process::id());
        Usage::of(&processes)
    }

    /// Waits until nobody has written anything for `pause`.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn quiet(&self, pause: std::time::Duration) -> Result<()> {
        let mut before = writes::so_far(self.kubernetes()).await?;
        loop {
            tokio::time::sleep(pause).await;
            let now = writes::so_far(self.kubernetes()).await?;
            if now == before {
                return Ok(());
            }
            before = now;
        }
    }

    /// The version of everything now, for a watch from now on.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn version(&self, collection: &str) -> Result<String> {
        let list = self
            .kubernetes()
            .get(&format!("{collection}?limit=1"))
            .await?;
        let version = list.and_then(|list| {
            let version = list["metadata"]["resourceVersion"].as_str()?;
            Some(version.to_owned())
        });
        version.with_context(|| format!("{collection} has no version"))
    }
}
