//! What the status says of each workload, in one line.

use docket_crds::WorkloadStatus;
use docket_schema::latest_version;

use super::outcome::Outcome;
use super::rollout::Rollout;

/// The lines of a tenant that names the workloads `names`, after `outcome`.
pub(crate) fn of(
    outcome: &Outcome<'_>,
    names: impl Iterator<Item = &'static str>,
    before: &[WorkloadStatus],
) -> Vec<WorkloadStatus> {
    match outcome {
        Outcome::Begun(_) | Outcome::AtRest { .. } => before.to_vec(),
        Outcome::Progress(progress) => of_progress(
            names,
            progress.wanted.clients.len(),
            &progress.rollouts.api(),
            before,
        ),
        Outcome::Failed { problem, .. } => of_problem(names, &problem.message, before),
        Outcome::Deleting { .. } => Vec::new(),
    }
}

/// The lines of a reconcile that reached its end: every client has the tables of `names`.
fn of_progress(
    names: impl Iterator<Item = &'static str>,
    clients: usize,
    rollout: &Rollout,
    before: &[WorkloadStatus],
) -> Vec<WorkloadStatus> {
    names
        .map(|name| {
            // Pods from before a change go on serving what they served.
            let was_ready = known(name, before).is_some_and(|before| before.ready);
            let ready = rollout.ready > 0 || (was_ready && rollout.serving > 0);
            let message = match (ready, clients) {
                (false, _) => "No pod serves it.".to_owned(),
                (true, 1) => "1 client is served.".to_owned(),
                (true, clients) => format!("{clients} clients are served."),
            };
            WorkloadStatus {
                name: name.to_owned(),
                schema_version: latest_version(name),
                ready,
                message,
            }
        })
        .collect()
}

/// The lines of a reconcile that `problem` ended: what is served goes on being served, and what is new
/// waits.
fn of_problem(
    names: impl Iterator<Item = &'static str>,
    problem: &str,
    before: &[WorkloadStatus],
) -> Vec<WorkloadStatus> {
    let new = names.filter(|name| known(name, before).is_none_or(|before| !before.ready));
    let waiting = new.map(|name| WorkloadStatus {
        name: name.to_owned(),
        schema_version: known(name, before).map_or(0, |before| before.schema_version),
        ready: false,
        message: problem.to_owned(),
    });
    let served = before.iter().filter(|before| before.ready).cloned();
    let mut lines: Vec<WorkloadStatus> = served.chain(waiting).collect();
    lines.sort_by(|a, b| a.name.cmp(&b.name));
    lines
}

fn known<'a>(name: &str, lines: &'a [WorkloadStatus]) -> Option<&'a WorkloadStatus> {
    lines.iter().find(|line| line.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    /// Two pods are wanted: how many are of the current template, and how many there are.
    fn rollout(updated: i32, available: i32) -> Rollout {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"generation": 1},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": 1, "replicas": available, "updatedReplicas": updated,
                "availableReplicas": available},
        }))
        .expect("a Deployment");
        Rollout::of(&deployment)
    }

    const LATEST: i32 = 3;

    fn line(ready: bool, version: i32, message: &str) -> WorkloadStatus {
        WorkloadStatus {
            name: "documents".into(),
            schema_version: version,
            ready,
            message: message.into(),
        }
    }

    fn progress(rollout: &Rollout, before: &[WorkloadStatus]) -> Vec<WorkloadStatus> {
        of_progress(["documents"].into_iter(), 2, rollout, before)
    }

    #[test]
    fn a_workload_is_ready_from_its_first_pod_until_no_pod_serves() {
        let (none, served) = (
            line(false, LATEST, "No pod serves it."),
            [line(true, LATEST, "2 clients are served.")],
        );
        let none = [none];
        assert_eq!(progress(&rollout(0, 0), &[]), none);
        assert_eq!(progress(&rollout(1, 1), &none), served);
        // The old pods do not know it, or do.
        assert_eq!(progress(&rollout(0, 2), &[]), none);
        assert_eq!(progress(&rollout(0, 2), &served), served);
        assert_eq!(progress(&rollout(0, 0), &served), none);
    }

    #[test]
    fn a_steady_tenant_has_the_same_line_whichever_of_its_pods_serve() {
        let served = progress(&rollout(2, 2), &[]);
        assert_eq!(progress(&rollout(2, 1), &served), served);
    }

    #[test]
    fn one_that_is_taken_out_has_no_line() {
        let before = [line(true, LATEST, "2 clients are served.")];
        assert!(of_progress(std::iter::empty(), 2, &rollout(2, 2), &before).is_empty());
    }

    #[test]
    fn a_problem_is_told_of_what_waits_for_its_end_and_not_of_what_is_served() {
        let names = || ["documents"].into_iter();
        let waiting = [line(false, 0, "Create the Secret.")];
        assert_eq!(of_problem(names(), "Create the Secret.", &[]), waiting);
        let begun = [line(false, LATEST, "No pod serves it.")];
        let waiting = [line(false, LATEST, "Create the Secret.")];
        assert_eq!(of_problem(names(), "Create the Secret.", &begun), waiting);
        let served = [line(true, LATEST, "1 client is served.")];
        assert_eq!(of_problem(names(), "Create the Secret.", &served), served);
        assert_eq!(
            of_problem(std::iter::empty(), "Create the Secret.", &served),
            served
        );
    }
}
