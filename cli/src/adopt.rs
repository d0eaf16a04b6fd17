//! `adopt`: data that was retained, taken over by a client of the same name.

use docket_crds::{DocumentTenant, PlannedAction, PlannedChange};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::arguments::Adopt;
use crate::cluster::Cluster;
use crate::edit::{Held, edit, hold, refuse_at_rest};
use crate::plan::{carried_out, planned, retreat};
use crate::problem::Problem;
use crate::screen::Screen;
use crate::tenant;
use crate::wait::{Look, until};

pub(crate) async fn adopt(
    cluster: &Cluster,
    wanted: &Adopt,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let (name, client) = (&wanted.name, &wanted.client);
    let tenant = tenant::read(cluster, name).await?;
    refuse_at_rest(&tenant)?;
    let patience = wanted.patience.duration();
    let asked = planned(cluster, name, patience, screen, |object| {
        hold(object, None);
        ask_to_adopt(object, client);
        Ok(())
    })
    .await
    .and_then(
        |plan| match plan.changes.iter().any(|change| takes_over(change, client)) {
            true => Ok(plan.generation),
            false => Err(nothing_to_adopt(&tenant, client)),
        },
    );
    let begun = match asked {
        Ok(generation) => carried_out(cluster, name, generation).await,
        Err(problem) => Err(problem),
    };
    if let Err(problem) = begun {
        return Err(retreat(cluster, name, Held::No, problem).await);
    }
    let ready = until(cluster, name, patience, screen, async |tenant| {
        Ok(
            match docket_crds::is_ready(tenant) && is_served(tenant, client) {
                true => Look::Done(()),
                false => Look::NotYet(tenant::ready_sentence(tenant)),
            },
        )
    });
    ready.await.map_err(|problem| {
        problem.advise(format!(
            "{client} has its data back in the spec; follow the rest with: kubectl docket status {name}"
        ))
    })?;
    edit(cluster, name, None, |object| {
        adopt_no_more(object, client);
        Ok(())
    })
    .await?;
    screen.page(&format!(
        "{client} has taken over what was retained under its name, and is served.\n\
         Add it to your manifest of {name} without adopt, which would take over what is retained later, too.\n"
    ));
    Ok(())
}

/// Takes `adopt` out again: it was for once.
fn adopt_no_more(object: &mut DynamicObject, client: &str) {
    let clients = object.data["spec"]["clients"].as_array_mut();
    let there = clients.and_then(|all| all.iter_mut().find(|it| it["name"] == client));
    if let Some(there) = there.and_then(Value::as_object_mut) {
        there.remove("adopt");
    }
}

/// Adds the client to the spec if it is not there, with `adopt: true`.
fn ask_to_adopt(object: &mut DynamicObject, client: &str) {
    let Some(clients) = object.data["spec"]["clients"].as_array_mut() else {
        return;
    };
    match clients.iter_mut().find(|it| it["name"] == client) {
        Some(there) => there["adopt"] = Value::Bool(true),
        None => clients.push(json!({"name": client, "adopt": true})),
    }
}

/// Whether the operator would take data over for `client`.
fn takes_over(change: &PlannedChange, client: &str) -> bool {
    change.action == PlannedAction::Adopt && change.client.as_deref() == Some(client)
}

fn is_served(tenant: &DocumentTenant, client: &str) -> bool {
    let clients = tenant.status.iter().flat_map(|status| &status.clients);
    clients
        .into_iter()
        .any(|it| it.name == client && it.schema_version > 0)
}

fn nothing_to_adopt(tenant: &DocumentTenant, client: &str) -> Problem {
    if is_served(tenant, client) {
        return Problem::no(format!(
            "{client} has nothing to adopt: it has its schema, and is served from it."
        ));
    }
    Problem::no(format!("{client} has nothing to adopt: nothing was retained under that name."))
        .advise("Retained data is found by the namespace, the tenant's name and the client's name, in the database that the tenant's Secret names.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_there_keeps_all_else_and_one_that_is_not_is_added() {
        let mut object: DynamicObject = serde_json::from_value(json!({
            "metadata": {"name": "acme"}, "spec": {"clients": [{"name": "globex", "retention": {"days": 7}}]}
        }))
        .expect("an object");
        for client in ["globex", "initech", "initech"] {
            ask_to_adopt(&mut object, client);
        }
        let expected = json!([
            {"name": "globex", "adopt": true, "retention": {"days": 7}}, {"name": "initech", "adopt": true},
        ]);
        assert_eq!(object.data["spec"]["clients"], expected);
        for client in ["globex", "initech", "hooli"] {
            adopt_no_more(&mut object, client);
        }
        let expected = json!([{"name": "globex", "retention": {"days": 7}}, {"name": "initech"}]);
        assert_eq!(object.data["spec"]["clients"], expected, "it was for once");
    }

    #[test]
    fn only_the_plan_for_this_client_counts() {
        let change = |action, client: &str| PlannedChange {
            action,
            object: "schema s".into(),
            client: Some(client.into()),
            detail: "in whatever words the operator has for it".into(),
        };
        assert!(takes_over(
            &change(PlannedAction::Adopt, "globex"),
            "globex"
        ));
        assert!(!takes_over(
            &change(PlannedAction::Adopt, "globex-2"),
            "globex"
        ));
        assert!(!takes_over(
            &change(PlannedAction::Create, "globex"),
            "globex"
        ));
    }
}
