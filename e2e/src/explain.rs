//! What a failed test prints: the tenants' conditions, the Events, and the logs of all containers.

use docket_crds::DocumentTenant;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, LogParams};
use kube::{Api, Client, ResourceExt};

/// Prints what explains the state of `namespace`, and the end of the operator's log.
pub async fn explain(client: &Client, namespace: &str) {
    eprintln!("--- namespace {namespace}");
    if let Err(error) = conditions(client, namespace).await {
        eprintln!("conditions: {error}");
    }
    if let Err(error) = events(client, namespace).await {
        eprintln!("events: {error}");
    }
    for place in [namespace, "docket-system"] {
        if let Err(error) = logs(client, place).await {
            eprintln!("logs of {place}: {error}");
        }
    }
}

async fn conditions(client: &Client, namespace: &str) -> kube::Result<()> {
    let tenants: Api<DocumentTenant> = Api::namespaced(client.clone(), namespace);
    for tenant in tenants.list(&ListParams::default()).await? {
        eprintln!(
            "--- DocumentTenant {}, generation {:?}",
            tenant.name_any(),
            tenant.metadata.generation
        );
        for condition in tenant.status.iter().flat_map(|status| &status.conditions) {
            eprintln!(
                "{}={} {}: {} (generation {:?})",
                condition.type_,
                condition.status,
                condition.reason,
                condition.message,
                condition.observed_generation
            );
        }
    }
    Ok(())
}

async fn events(client: &Client, namespace: &str) -> kube::Result<()> {
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    eprintln!("--- Events");
    for event in events.list(&ListParams::default()).await? {
        let about = event
            .regarding
            .and_then(|object| object.name)
            .unwrap_or_default();
        let reason = event.reason.unwrap_or_default();
        eprintln!("{about} {reason}: {}", event.note.unwrap_or_default());
    }
    Ok(())
}

async fn logs(client: &Client, namespace: &str) -> kube::Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    for pod in pods.list(&ListParams::default()).await? {
        let Some(spec) = &pod.spec else { continue };
        for container in spec
            .init_containers
            .iter()
            .flatten()
            .chain(&spec.containers)
        {
            let params = LogParams {
                container: Some(container.name.clone()),
                tail_lines: Some(30),
                ..LogParams::default()
            };
            eprintln!("--- {} {}", pod.name_any(), container.name);
            match pods.logs(&pod.name_any(), &params).await {
                Ok(log) => eprintln!("{log}"),
                Err(error) => eprintln!("{error}"),
            }
        }
    }
    Ok(())
}
