use anyhow::{Result, ensure};
use docket_e2e::client::client;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams, PostParams};
use kube::{Api, Client, ResourceExt};

async fn may(client: &Client, verb: &str, group: &str, resource: &str) -> Result<bool> {
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some("system:serviceaccount:docket-system:docket-operator".into()),
            resource_attributes: Some(ResourceAttributes {
                namespace: Some("some-namespace".into()),
                verb: Some(verb.into()),
                group: Some(group.into()),
                resource: Some(resource.into()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let answer = Api::all(client.clone())
        .create(&PostParams::default(), &review)
        .await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

#[tokio::test]
async fn the_operator_may_do_nothing_that_it_does_not_do() -> Result<()> {
    let client = client().await?;
    ensure!(
        may(&client, "patch", "apps", "deployments").await?,
        "the account has another name"
    );
    for (verb, group, resource) in [
        ("create", "", "pods"),
        ("create", "", "pods/exec"),
        ("delete", "", "pods"),
        ("delete", "", "secrets"),
        ("update", "", "secrets"),
        ("deletecollection", "apps", "deployments"),
        ("create", "docket.dev", "documenttenants"),
        ("delete", "docket.dev", "documenttenants"),
        ("create", "rbac.authorization.k8s.io", "rolebindings"),
        ("create", "", "namespaces"),
        ("get", "", "nodes"),
        ("create", "coordination.k8s.io", "leases"),
        ("impersonate", "", "serviceaccounts"),
    ] {
        ensure!(
            !may(&client, verb, group, resource).await?,
            "it may {verb} {resource}.{group}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_operator_is_never_refused_what_it_needs() -> Result<()> {
    // The other tests run with exactly the chart's role; here is what it was refused meanwhile.
    let pods: Api<Pod> = Api::namespaced(client().await?, "docket-system");
    let operators = ListParams::default().labels("app.kubernetes.io/name=docket-operator");
    let list = pods.list(&operators).await?;
    ensure!(!list.items.is_empty(), "no pod of the operator");
    for pod in list {
        let log = pods.logs(&pod.name_any(), &LogParams::default()).await?;
        let refused: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("orbidden"))
            // A namespace that is being deleted takes no new objects, whatever the role.
            .filter(|line| !line.contains("being terminated"))
            .collect();
        ensure!(refused.is_empty(), "{refused:#?}");
    }
    Ok(())
}
