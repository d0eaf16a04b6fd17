//! How often the operator asks the API server and Postgres, told by proxies before both.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use docket_fault_matrix::{Gateway, Place, Script, Wire};

use crate::operator::Operator;
use crate::stage::Stage;
use crate::steady;
use crate::tenants::{self, Address};

/// What was asked for a number of tenants, from apply to quiet.
pub struct Count {
    /// How many tenants.
    pub tenants: usize,
    /// Requests to the API server, by verb and resource; watches and Leases left out.
    pub calls: BTreeMap<String, u64>,
    /// Round trips to Postgres, by what they were for.
    pub statements: BTreeMap<String, u64>,
}

impl Count {
    /// Requests for each tenant.
    pub fn calls_per_tenant(&self) -> f64 {
        self.calls.values().sum::<u64>() as f64 / self.tenants as f64
    }

    /// Round trips to Postgres for each tenant.
    pub fn statements_per_tenant(&self) -> f64 {
        self.statements.values().sum::<u64>() as f64 / self.tenants as f64
    }
}

/// Makes tenants by way of the proxies.
///
/// # Errors
/// They do not get ready.
pub async fn count(
    stage: &Stage,
    binary: &Path,
    concurrency: u16,
    numbers: std::ops::Range<usize>,
) -> Result<Count> {
    let script = Arc::new(Script::default());
    let gateway = Gateway::start(stage.plane.as_operator()?, None, script.clone()).await?;
    let wire = Wire::start(stage.postgres.socket(), script.clone()).await?;
    let address = Address {
        host: wire.address().ip().to_string(),
        port: wire.address().port(),
    };
    tenants::furnish(stage, numbers.clone(), &address).await?;
    let operator = Operator::through(stage, binary, concurrency, &gateway.url()).await?;
    steady::catch_up(&operator, numbers.start).await?;
    let before = gateway.calls();
    script.begin(None);
    let tenants = numbers.len();
    tenants::apply(stage, numbers).await?;
    stage.quiet(std::time::Duration::from_secs(2)).await?;
    let calls = gateway
        .calls()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("WATCH ") && !name.ends_with(" leases"))
        .map(|(name, count)| {
            let then = before.get(&name).copied().unwrap_or_default();
            (name, count - then)
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    let mut statements = BTreeMap::new();
    for point in script.calls() {
        if point.place == Place::Postgres {
            *statements.entry(point.call).or_default() += 1;
        }
    }
    operator.stop();
    Ok(Count {
        tenants,
        calls,
        statements,
    })
}
