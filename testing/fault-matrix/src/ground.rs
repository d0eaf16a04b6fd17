//! What every case stands on: one control plane, one Postgres, one object store.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use crate::control_plane::ControlPlane;
use crate::fidelity::Fidelity;
use crate::object_store::ObjectStore;
use crate::postgres::Postgres;

/// Shared by cases that run side by side, each in a namespace and a database of its own.
#[derive(Debug)]
pub struct Ground {
    /// Kubernetes.
    pub plane: ControlPlane,
    /// The databases.
    pub postgres: Postgres,
    /// The contents.
    pub objects: ObjectStore,
    /// The operator's program.
    pub binary: PathBuf,
    worlds: AtomicU32,
}

impl Ground {
    /// Starts all of it, for the operator `binary`.
    ///
    /// # Errors
    /// A command is missing, or does not come up.
    pub async fn prepare(binary: PathBuf) -> Result<Self> {
        let (plane, postgres) = tokio::try_join!(
            ControlPlane::start(Fidelity::Swift),
            Postgres::start(Fidelity::Swift)
        )?;
        let objects = ObjectStore::start(plane.folder())?;
        Ok(Self {
            plane,
            postgres,
            objects,
            binary,
            worlds: AtomicU32::new(0),
        })
    }

    /// A name that no namespace or database has yet.
    pub(crate) fn next_name(&self) -> String {
        format!("mx{:05}", self.worlds.fetch_add(1, Ordering::Relaxed))
    }
}
