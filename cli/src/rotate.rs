//! `rotate`: credentials anew, and how far that is.

mod chosen;
mod progress;

use std::time::Instant;

use docket_crds::{DocumentTenant, is_ready, names};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt as _};

use self::chosen::Chosen;
use self::progress::{Logins, keys, signing_keys};
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
    let chosen = Chosen::read(wanted);
    let tenant = tenant::read(cluster, name).await?;
    refuse_at_rest(&tenant)?;
    refuse_without_keys(chosen, &tenant)?;

    let asked = Timestamp::now().to_string();
    let annotations = chosen.annotations().into_iter();
    let annotations: Vec<(&str, String)> = annotations.map(|it| (it, asked.clone())).collect();
    annotate(cluster, name, &annotations).await?;
    let what = chosen.spoken();
    if !wanted.wait {
        screen.page(&format!(
            "Asked the operator to rotate {what}. Follow it with: kubectl docket status {name}\n"
        ));
        return Ok(());
    }
    let start = Instant::now();
    let waited = wait(cluster, wanted, chosen, &asked, screen).await;
    waited.map_err(|problem| {
        problem.advise(format!(
            "The rotation of {what} goes on without you; follow it with: kubectl docket status {name}"
        ))
    })?;
    let mut after = String::new();
    if chosen.api_keys {
        after.push_str(&format!(
            " The new keys are in the Secret {}; those before stay valid until the next rotation.",
            names::api_keys_secret(name)
        ));
    }
    if chosen.signing_keys {
        after.push_str(
            " The new signing key signs once everybody who checks tokens can know it, and the one before \
             stays published until no token that it signed is good any more.",
        );
    }
    screen.page(&format!(
        "Rotated {what} in {}.{after}\n",
        spoken(start.elapsed())
    ));
    Ok(())
}

/// Nothing would ever begin.
fn refuse_without_keys(chosen: Chosen, tenant: &DocumentTenant) -> Result<(), Problem> {
    if !chosen.signing_keys || tenant.spec.api.auth.issuer.is_some() {
        return Ok(());
    }
    let name = tenant.name_any();
    let what = format!("{name} issues no tokens, and so has no signing keys.");
    Err(Problem::no(what).advise("Set spec.api.auth.issuer first."))
}

async fn wait(
    cluster: &Cluster,
    wanted: &Rotate,
    chosen: Chosen,
    asked: &str,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let name = &wanted.name;
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut of_logins = Logins::default();
    let patience = wanted.patience.duration();
    until(cluster, name, patience, screen, async |tenant| {
        let mut waits = Vec::new();
        if chosen.logins {
            let secret = names::credentials_secret(name);
            let secret = secrets.get_metadata_opt(&secret).await;
            let secret = secret.map_err(of_secrets)?;
            let noted = chosen.noted();
            let begun = secret.is_some_and(|it| progress::is_for(it.annotations(), noted, asked));
            waits.extend(of_logins.wait(tenant, begun));
        }
        if chosen.api_keys {
            let secret = names::api_keys_secret(name);
            let secret = secrets.get_opt(&secret).await.map_err(of_secrets)?;
            waits.extend(keys(secret.as_ref(), asked));
        }
        if chosen.signing_keys {
            // What is in it is nobody's but the operator's.
            let secret = names::signing_keys_secret(name);
            let secret = secrets.get_metadata_opt(&secret).await;
            let secret = secret.map_err(of_secrets)?;
            waits.extend(signing_keys(
                secret.as_ref().map(|it| it.annotations()),
                asked,
            ));
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tenant(auth: &serde_json::Value) -> DocumentTenant {
        let tenant = json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant", "metadata": {"name": "acme"},
            "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "d"}},
                "workloads": {}, "api": {"auth": auth}},
        });
        serde_json::from_value(tenant).expect("a tenant")
    }

    #[test]
    fn signing_keys_are_asked_for_of_a_tenant_that_issues_tokens_alone() {
        let (none, own) = (tenant(&json!({})), tenant(&json!({"issuer": {}})));
        let chosen = |signing_keys| Chosen {
            logins: true,
            revoke: false,
            api_keys: true,
            signing_keys,
        };
        assert_eq!(refuse_without_keys(chosen(false), &none), Ok(()));
        assert_eq!(refuse_without_keys(chosen(true), &own), Ok(()));
        let told = refuse_without_keys(chosen(true), &none).expect_err("none");
        assert_eq!(
            told.to_string(),
            "acme issues no tokens, and so has no signing keys.\nSet spec.api.auth.issuer first."
        );
    }
}
