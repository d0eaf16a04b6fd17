//! Whether the databases of tenants can be used: each is asked once in a while, however many tenants use
//! it, and those tenants are looked at again when its answer changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use docket_crds::DocumentTenant;
use futures::{StreamExt, stream};
use kube::runtime::reflector::Store;
use tracing::{Instrument, info_span};

use crate::context::Context;
use crate::database::{AdminConnection, Answer};
use crate::identified::{Identified, ObjectIdentity};
use crate::ticker::ticker;

/// Databases that are asked at a time: each may answer as much as any does.
const AT_A_TIME: usize = 16;

/// A database, and those who use it.
struct Used {
    connection: AdminConnection,
    tenants: Vec<Identified<DocumentTenant>>,
}

/// Asks all once in `interval`, for as long as it is polled.
pub async fn watch(tenants: Store<DocumentTenant>, interval: Duration, ctx: Arc<Context>) {
    let Some(mut rounds) = ticker(interval, ctx.filled.clone()).await else {
        return;
    };
    let mut answers: HashMap<String, Answer> = HashMap::new();
    loop {
        rounds.tick().await;
        let used = used(&tenants, &ctx);
        answers.retain(|key, _| used.contains_key(key));
        let asked = used
            .into_iter()
            .map(|(key, database)| ask(key, database, &ctx));
        let asked = stream::iter(asked).buffer_unordered(AT_A_TIME);
        let news = asked.for_each(|(key, database, answer)| {
            if let Some(answer) = answer {
                // The reconcile before the first question found it usable, or is tried again anyway.
                let before = answers.insert(key, answer).unwrap_or(Answer::Usable);
                if before != answer {
                    look_again(&database, answer, &ctx);
                }
            }
            std::future::ready(())
        });
        news.instrument(info_span!(parent: None, "databases")).await;
    }
}

async fn ask(key: String, database: Used, ctx: &Context) -> (String, Used, Option<Answer>) {
    let answer = ctx.databases.ask(&database.connection).await;
    (key, database, answer)
}

/// The databases that tenants were last seen to use, by their keys.
fn used(tenants: &Store<DocumentTenant>, ctx: &Context) -> HashMap<String, Used> {
    let mut used: HashMap<String, Used> = HashMap::new();
    for tenant in tenants.state().into_iter().filter_map(Identified::new) {
        let Some(connection) = ctx.memory.connection(tenant.uid()) else {
            continue;
        };
        let database = used.entry(connection.key()).or_insert_with(|| Used {
            connection,
            tenants: Vec::new(),
        });
        database.tenants.push(tenant);
    }
    used
}

fn look_again(database: &Used, answer: Answer, ctx: &Context) {
    let docket_contract::Database {
        host, port, dbname, ..
    } = &database.connection.database;
    tracing::info!(
        server.address = host,
        server.port = port,
        db.namespace = dbname,
        tenants = database.tenants.len(),
        answer = ?answer,
        "a database answers otherwise than before"
    );
    for tenant in &database.tenants {
        ctx.memory.forget_inspected(tenant.uid());
        let ObjectIdentity {
            namespace, name, ..
        } = tenant.identity().clone();
        ctx.recheck.tell((namespace, name));
    }
}
