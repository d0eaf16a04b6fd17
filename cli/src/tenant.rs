//! Reading a tenant, and what to say where there is none.

use docket_crds::{ConditionType, DocumentTenant, condition, is_current};
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use crate::cluster::Cluster;
use crate::problem::Problem;

/// How alike two names are to be for one to be meant by the other; 1 is the same.
const ALIKE: f64 = 0.75;

/// The tenant `name`, or a problem that names what is there instead.
pub(crate) async fn read(cluster: &Cluster, name: &str) -> Result<DocumentTenant, Problem> {
    match cluster.tenants().get(name).await {
        Ok(tenant) => Ok(tenant),
        Err(error) => Err(explain(cluster, name, error).await),
    }
}

/// Why the tenant `name` could not be read.
pub(crate) async fn explain(cluster: &Cluster, name: &str, error: kube::Error) -> Problem {
    if !is_missing(&error) {
        return Problem::of_cluster(error, "read DocumentTenants");
    }
    let everywhere: Api<DocumentTenant> = Api::all(cluster.client.clone());
    let listed = match everywhere.list_metadata(&ListParams::default()).await {
        Ok(list) => Ok(list),
        // Who may read one namespace only sees what is there.
        Err(_) => {
            cluster
                .tenants()
                .list_metadata(&ListParams::default())
                .await
        }
    };
    match listed {
        Ok(list) => {
            let known = list
                .iter()
                .map(|it| (it.namespace().unwrap_or_default(), it.name_any()));
            no_such_tenant(&cluster.namespace, name, &known.collect::<Vec<_>>())
        }
        Err(error) => of_list(error),
    }
}

/// Why tenants could not be listed.
pub(crate) fn of_list(error: kube::Error) -> Problem {
    match is_missing(&error) {
        true => Problem::could_not_run("this cluster does not know DocumentTenants.").advise(
            "Install Docket with Helm (charts/docket), or name another cluster with --context.",
        ),
        false => Problem::of_cluster(error, "list DocumentTenants"),
    }
}

fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// `known` are namespaces and names.
fn no_such_tenant(namespace: &str, name: &str, known: &[(String, String)]) -> Problem {
    let problem = Problem::could_not_run(format!("no tenant {name} in the namespace {namespace}."));
    if known.is_empty() {
        return problem.advise("There is no DocumentTenant that you may see: apply one first.");
    }
    let mut near: Vec<(f64, String)> = known
        .iter()
        .map(|(there, other)| {
            let alike = strsim::jaro_winkler(name, other);
            // A name of this namespace is meant before the same of another.
            let here = if there == namespace { 0.01 } else { 0.0 };
            (alike + here, format!("{there}/{other}"))
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let near: Vec<String> = near.into_iter().take(3).map(|(_, name)| name).collect();
    match near.is_empty() {
        true => problem.advise("List all of them with: kubectl docket status -A"),
        false => problem.advise(format!(
            "Did you mean {}? Name a namespace with -n.",
            near.join(" or ")
        )),
    }
}

/// What `Ready` says, for a line of progress.
pub(crate) fn ready_sentence(tenant: &DocumentTenant) -> String {
    match condition(tenant, ConditionType::Ready) {
        Some(it) if is_current(it, tenant) => {
            format!("{}: {}", it.reason, it.message.trim_end_matches('.'))
        }
        _ => "the operator has not looked at this spec yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_there_is_answered_with_those_that_are_meant() {
        let known = [
            ("acme", "acme"),
            ("acme", "acne"),
            ("shop", "acme"),
            ("shop", "umbrella"),
        ];
        let known = known.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
        let told = |namespace: &str, name: &str, known: &[(String, String)]| {
            no_such_tenant(namespace, name, known).to_string()
        };
        insta::assert_snapshot!(
            [
                told("acme", "acmee", &known),
                told("default", "acme", &known),
                told("default", "zzz", &known),
                told("default", "acme", &[]),
            ]
            .join("\n---\n")
        );
    }
}
