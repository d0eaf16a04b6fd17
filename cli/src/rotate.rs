//! `rotate`: credentials anew, and how far that is.

mod progress;

use std::time::Instant;

use docket_crds::annotations::{ROTATE, ROTATE_API_KEYS};
use docket_crds::{is_ready, names};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt as _};

use self::progress::{Logins, keys};
use crate::arguments::Rotate;
use crate::cluster::Cluster;
use crate::edit::{annotate, refuse_at_rest};
use crate::problem::Problem;
use crate::screen::Screen;
use crate::since::spoken;
use crate::tenant;
use crate::wait::{Look, until};

pub(crate) async fn rotate(
    cluster: &Cluster,
    wanted: &Rotate,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let name = &wanted.name;
    let both = wanted.logins == wanted.api_keys;
    let (logins, api_keys) = (both || wanted.logins, both || wanted.api_keys);
    refuse_at_rest(&tenant::read(cluster, name).await?)?;

    let asked = Timestamp::now().to_string();
    let wishes = [(ROTATE, logins), (ROTATE_API_KEYS, api_keys)];
    let annotations: Vec<(&str, String)> = wishes
        .into_iter()
        .filter(|(_, wished)| *wished)
        .map(|(annotation, _)| (annotation, asked.clone()))
        .collect();
    annotate(cluster, name, &annotations).await?;
    let what = match (logins, api_keys) {
        (true, true) => "the logins and the API keys",
        (true, false) => "the logins",
        _ => "the API keys",
    };
    if !wanted.wait {
        screen.page(&format!(
            "Asked the operator to rotate {what}. Follow it with: kubectl docket status {name}\n"
        ));
        return Ok(());
    }
    let start = Instant::now();
    let waited = wait(cluster, wanted, (logins, api_keys), &asked, screen).await;
    waited.map_err(|problem| {
        problem.advise(format!(
            "The rotation of {what} goes on without you; follow it with: kubectl docket status {name}"
        ))
    })?;
    let keys = match api_keys {
        true => format!(
            " The new keys are in the Secret {}; those before stay valid until the next rotation.",
            names::api_keys_secret(name)
        ),
        false => String::new(),
    };
    screen.page(&format!(
        "Rotated {what} in {}.{keys}\n",
        spoken(start.elapsed())
    ));
    Ok(())
}

async fn wait(
    cluster: &Cluster,
    wanted: &Rotate,
    (logins, api_keys): (bool, bool),
    asked: &str,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let name = &wanted.name;
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut of_logins = Logins::default();
    let patience = wanted.patience.duration();
    until(cluster, name, patience, screen, async |tenant| {
        let mut waits = Vec::new();
        if logins {
            let secret = names::credentials_secret(name);
            let secret = secrets
                .get_metadata_opt(&secret)
                .await
                .map_err(of_secrets)?;
            let begun = secret.is_some_and(|secret| progress::is_for(secret.annotations(), asked));
            waits.extend(of_logins.wait(tenant, begun));
        }
        if api_keys {
            let secret = names::api_keys_secret(name);
            let secret = secrets.get_opt(&secret).await.map_err(of_secrets)?;
            waits.extend(keys(secret.as_ref(), asked));
        }
        if waits.is_empty() && !is_ready(tenant) {
            waits.push(tenant::ready_sentence(tenant));
        }
        Ok(match waits.is_empty() {
            true => Look::Done(()),
            false => Look::NotYet(waits.join("; ")),
        })
    })
    .await
}

fn of_secrets(error: kube::Error) -> Problem {
    Problem::of_cluster(error, "read Secrets, where the end of a rotation is seen")
}
