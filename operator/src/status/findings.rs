//! What the conditions should say: of a reconcile that reached its end, and of one that did not.

use docket_crds::names;
use docket_crds::{ClientStatus, ConditionType, DocumentTenantStatus};
use docket_schema::{PLATFORM, latest_version};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::{ConditionStatus, Finding};
use super::outcome::{Outcome, Progress, Sight};
use super::rollout::{Rollout, Rollouts, all_collect, last_words, trouble};
use crate::cache::pods::ObservedPod;
use crate::error::Problem;
use crate::validated_tenant::{Notice, ValidatedTenant};

/// Clients that a sentence lists.
const MOST_WAITING: usize = 20;

/// What all conditions of a tenant should say after `outcome`, `Ready` first.
pub(crate) fn of(outcome: &Outcome<'_>, sight: &Sight, before: &[Condition]) -> Vec<Finding> {
    let pods = sight.rollouts.as_ref().map(|it| (it, &*sight.pods));
    let findings = match outcome {
        Outcome::Begun(_) => of_beginning(),
        Outcome::Progress(progress) => of_progress(progress, &sight.pods),
        Outcome::Failed { problem, .. } => of_problem(problem, pods, before),
        Outcome::AtRest {
            reason, message, ..
        } => of_rest(reason, message, pods, before),
        Outcome::Deleting { message } => of_deletion(message, before),
    };
    with_loss(findings, sight.loss.as_ref())
}

/// Whether the next report, which comes soon, says what this one would, and more.
pub(crate) fn may_wait(
    outcome: &Outcome<'_>,
    sight: &Sight,
    before: &DocumentTenantStatus,
    generation: Option<i64>,
) -> bool {
    let Outcome::Progress(progress) = outcome else {
        return false;
    };
    let on_its_way = progress.changed.is_none()
        && before.observed_generation == generation
        && is_on_its_way(&before.conditions);
    (is_beginning(&before.conditions) || on_its_way) && is_a_mere_start(progress, &sight.pods)
}

/// All conditions after a reconcile that reached its end, `Ready` first.
fn of_progress(progress: &Progress<'_>, pods: &[ObservedPod]) -> Vec<Finding> {
    let Progress {
        wanted, rollouts, ..
    } = progress;
    let clients = clients(wanted.clients.len());
    let mut parts = vec![
        of_credentials(&names::api_keys_secret(&wanted.name), &wanted.notices),
        of_database(
            format!("{clients} with the tables of {}.", versions(wanted)),
            &wanted.database_notices,
        ),
    ];
    parts.extend(of_pods(rollouts, pods));
    if let Some(trouble) = &wanted.telemetry.trouble {
        let told = |part: Finding| match part.condition {
            ConditionType::CollectorReady => of_trouble(trouble),
            _ => part,
        };
        parts = parts.into_iter().map(told).collect();
    }
    let mut ready = ready(&parts, rollouts, pods, wanted.unmet.as_ref());
    if !rollouts.is_complete() {
        ready.message.push_str(&waiting(&progress.remaining));
    }
    std::iter::once(ready).chain(parts).collect()
}

/// What becomes of clients that were removed while pods may still serve them; of a rollout that never ends nobody
/// would know otherwise.
fn waiting(remaining: &[ClientStatus]) -> String {
    let names: Vec<&str> = remaining.iter().map(|it| it.name.as_str()).collect();
    let more = match names.len().saturating_sub(MOST_WAITING) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match &names[..names.len().min(MOST_WAITING)] {
        [] => String::new(),
        listed => format!(
            " Until then the data and the login of what was removed stay: {}{more}.",
            listed.join(", ")
        ),
    }
}

/// What should be mended keeps nobody from being served.
fn of_database(provisioned: String, notices: &[Notice]) -> Finding {
    let reason = notices.first().map_or("Provisioned", |first| first.reason);
    let notices = notices.iter().map(|notice| notice.message.clone());
    let message: Vec<String> = std::iter::once(provisioned).chain(notices).collect();
    Finding::new(
        ConditionType::DatabaseReady,
        ConditionStatus::True,
        reason,
        message.join(" "),
    )
}

/// Such as `platform 1`, and those of each workload.
fn versions(wanted: &ValidatedTenant) -> String {
    let all = std::iter::once(PLATFORM).chain(wanted.workloads.names());
    let each: Vec<String> = all
        .map(|name| format!("{name} {}", latest_version(name)))
        .collect();
    each.join(" and ")
}

/// Reason of the `Ready` of a tenant of which nothing is told yet.
const CREATING: &str = "Creating";

/// All conditions of a tenant that is new, `Ready` first.
fn of_beginning() -> Vec<Finding> {
    let message = "The spec is accepted, and what it asks for is being made.";
    let ready = Finding::new(
        ConditionType::Ready,
        ConditionStatus::Unknown,
        CREATING,
        message,
    );
    std::iter::once(ready).chain(parts_now(None, &[])).collect()
}

/// Whether nothing was told of a tenant since it began.
fn is_beginning(before: &[Condition]) -> bool {
    let ready = as_before(ConditionType::Ready, before);
    ready.is_none_or(|ready| ready.reason == CREATING)
}

/// Whether `Ready` says no more than that pods come about by themselves.
fn is_on_its_way(before: &[Condition]) -> bool {
    let ready = as_before(ConditionType::Ready, before);
    ready.is_some_and(|ready| [NOBODY_SERVES, ROLLING_OUT, STARTING].contains(&&*ready.reason))
}

/// Whether there is no more to tell than that pods are starting, which goes by itself.
fn is_a_mere_start(progress: &Progress<'_>, pods: &[ObservedPod]) -> bool {
    let Progress {
        wanted, rollouts, ..
    } = progress;
    !rollouts.is_complete()
        && trouble(pods).is_none()
        && last_words(pods).is_none()
        && wanted.notices.is_empty()
        && wanted.database_notices.is_empty()
        && wanted.unmet.is_none()
        && wanted.telemetry.trouble.is_none()
}

/// All conditions after a reconcile that ended with `problem`, `Ready` first: the pods as they are
/// now, and the rest as it was before.
fn of_problem(
    problem: &Problem,
    pods: Option<(&Rollouts, &[ObservedPod])>,
    before: &[Condition],
) -> Vec<Finding> {
    let failed = |condition| {
        Finding::new(
            condition,
            ConditionStatus::False,
            problem.reason,
            &problem.message,
        )
    };
    let parts =
        parts_now(pods, before)
            .into_iter()
            .map(|part| match part.condition == problem.condition {
                true => failed(part.condition),
                false => part,
            });
    std::iter::once(failed(ConditionType::Ready))
        .chain(parts)
        .collect()
}

/// All conditions of a tenant that is left as it is, `Ready` first: whether it is what its spec asks
/// for, nobody looks.
fn of_rest(
    reason: &str,
    message: &str,
    pods: Option<(&Rollouts, &[ObservedPod])>,
    before: &[Condition],
) -> Vec<Finding> {
    let ready = Finding::new(
        ConditionType::Ready,
        ConditionStatus::Unknown,
        reason,
        message,
    );
    std::iter::once(ready)
        .chain(parts_now(pods, before))
        .collect()
}

/// Reason of the `Ready` of a tenant that is being deleted.
pub(crate) const DELETING: &str = "Deleting";

/// All conditions of a tenant that is being deleted, `Ready` first: whoever served ends.
fn of_deletion(message: &str, before: &[Condition]) -> Vec<Finding> {
    let goes = |condition| Finding::new(condition, ConditionStatus::False, DELETING, message);
    let parts = parts_now(None, before)
        .into_iter()
        .map(|part| match part.condition {
            ConditionType::ApiAvailable | ConditionType::CollectorReady => goes(part.condition),
            _ => part,
        });
    std::iter::once(goes(ConditionType::Ready))
        .chain(parts)
        .collect()
}

/// The same where telemetry is lost although the collectors run: a notice keeps nothing from being ready.
fn with_loss(findings: Vec<Finding>, loss: Option<&Notice>) -> Vec<Finding> {
    let told = |finding: Finding| match loss {
        Some(loss) if runs(&finding) => Finding::new(
            ConditionType::CollectorReady,
            ConditionStatus::True,
            loss.reason,
            &loss.message,
        ),
        _ => finding,
    };
    findings.into_iter().map(told).collect()
}

fn runs(finding: &Finding) -> bool {
    finding.condition == ConditionType::CollectorReady && finding.status == ConditionStatus::True
}

/// What `Ready` is made of: the pods as they are now, and the rest as it was before.
fn parts_now(pods: Option<(&Rollouts, &[ObservedPod])>, before: &[Condition]) -> Vec<Finding> {
    let of_pods = pods
        .map(|(rollouts, pods)| of_pods(rollouts, pods))
        .unwrap_or_default();
    let part = |condition| {
        let now = of_pods
            .iter()
            .find(|finding| finding.condition == condition)
            .cloned();
        let trouble = as_before(condition, before).filter(is_trouble_of_telemetry);
        trouble
            .or(now)
            .or_else(|| as_before(condition, before))
            .unwrap_or_else(|| {
                Finding::new(
                    condition,
                    ConditionStatus::Unknown,
                    "NotReached",
                    "Nothing is known yet.",
                )
            })
    };
    ConditionType::PARTS.into_iter().map(part).collect()
}

/// What the user should mend before the collectors can send.
fn of_trouble(trouble: &Notice) -> Finding {
    Finding::new(
        ConditionType::CollectorReady,
        ConditionStatus::False,
        trouble.reason,
        &trouble.message,
    )
}

/// Whether a collector is not ready for another reason than its pod.
fn is_trouble_of_telemetry(finding: &Finding) -> bool {
    finding.condition == ConditionType::CollectorReady
        && finding.status == ConditionStatus::False
        && ![STARTING, FAILING].contains(&&*finding.reason)
}

/// Whether a condition asks the user to mend something that keeps nobody from being served.
pub(crate) fn asks_to_mend(condition: &Condition) -> bool {
    let conditions = std::slice::from_ref(condition);
    let notice = as_before(ConditionType::CredentialsReady, conditions)
        .is_some_and(|finding| finding.status == ConditionStatus::True && finding.reason != ISSUED);
    let trouble = as_before(ConditionType::CollectorReady, conditions);
    let lost = trouble
        .as_ref()
        .is_some_and(|it| runs(it) && it.reason != RUNNING);
    notice || lost || trouble.as_ref().is_some_and(is_trouble_of_telemetry)
}

/// A number of clients, for a sentence.
fn clients(count: usize) -> String {
    match count {
        1 => "1 client".into(),
        count => format!("{count} clients"),
    }
}

/// Reasons of an `ApiAvailable` that the pods tell.
const NOBODY_SERVES: &str = "NoPodServes";
const ROLLING_OUT: &str = "RollingOut";

/// Reasons of a `CollectorReady` that the pods tell.
const STARTING: &str = "CollectorStarting";
const FAILING: &str = "CollectorFailing";
const RUNNING: &str = "Running";

/// Reason of a `CredentialsReady` that leaves nothing to mend.
const ISSUED: &str = "Issued";

/// A notice keeps nothing from being ready.
fn of_credentials(secret: &str, notices: &[Notice]) -> Finding {
    let (reason, message) = match notices {
        [] => (
            ISSUED,
            format!("API keys are in the Secret {secret}, one entry a client."),
        ),
        [first, ..] => {
            let sentences: Vec<&str> = notices.iter().map(|notice| &*notice.message).collect();
            (first.reason, sentences.join(" "))
        }
    };
    Finding::new(
        ConditionType::CredentialsReady,
        ConditionStatus::True,
        reason,
        message,
    )
}

fn ready(
    parts: &[Finding],
    rollouts: &Rollouts,
    pods: &[ObservedPod],
    lacking: Option<&Notice>,
) -> Finding {
    let api = rollouts.api();
    let unmet = parts
        .iter()
        .find(|part| part.status != ConditionStatus::True)
        .map(|part| (&*part.reason, &*part.message));
    let rolling = parts
        .iter()
        .find(|part| part.condition == ConditionType::ApiAvailable && !api.is_complete())
        .map(|part| (ROLLING_OUT, &*part.message));
    let others = other_components(rollouts, pods);
    let others = others.as_ref().map(|(reason, why)| (*reason, &**why));
    let lacking = lacking.map(|notice| (notice.reason, &*notice.message));
    match unmet.or(rolling).or(others).or(lacking) {
        Some((reason, message)) => Finding::new(
            ConditionType::Ready,
            ConditionStatus::False,
            reason,
            message,
        ),
        None => Finding::new(
            ConditionType::Ready,
            ConditionStatus::True,
            "Ready",
            "All clients are served as the spec asks.",
        ),
    }
}

/// Why a component that answers nobody keeps a tenant from being ready; `ApiAvailable` does not speak of it.
fn other_components(rollouts: &Rollouts, pods: &[ObservedPod]) -> Option<(&'static str, String)> {
    let (component, rollout) = rollouts.others_under_way().next()?;
    let Rollout {
        wanted,
        ready,
        serving,
        ..
    } = rollout;
    let reason = match serving {
        0 => NOBODY_SERVES,
        _ => ROLLING_OUT,
    };
    let why = why(pods);
    let message = format!(
        "Of the component {component}, {ready} of {wanted} pods of the current spec run, {serving} in all.{why}"
    );
    Some((reason, message))
}

fn why(pods: &[ObservedPod]) -> String {
    trouble(pods).map_or_else(String::new, |trouble| format!(" {trouble}"))
}

fn of_pods(rollouts: &Rollouts, pods: &[ObservedPod]) -> Vec<Finding> {
    let api = rollouts.api();
    let Rollout {
        wanted,
        ready,
        serving,
        ..
    } = api;
    let why = why(pods);
    let api = match (api.is_complete(), serving) {
        (true, 0) => (
            ConditionStatus::False,
            NOBODY_SERVES,
            "The Deployment is scaled to 0, where an autoscaler leaves it, too: scale it up."
                .to_owned(),
        ),
        (true, _) => (
            ConditionStatus::True,
            "Available",
            format!("{ready} of {wanted} pods serve."),
        ),
        (false, serving) => (
            if serving > 0 {
                ConditionStatus::True
            } else {
                ConditionStatus::False
            },
            if serving > 0 {
                ROLLING_OUT
            } else {
                NOBODY_SERVES
            },
            format!("{ready} of {wanted} pods of the current spec serve, {serving} in all.{why}"),
        ),
    };
    let collector = if rollouts.is_complete() || all_collect(pods) {
        (
            ConditionStatus::True,
            RUNNING,
            "A collector runs beside each API container.".to_owned(),
        )
    } else if let Some(words) = last_words(pods) {
        (
            ConditionStatus::False,
            FAILING,
            format!("A collector ends by itself. {words}"),
        )
    } else {
        (
            ConditionStatus::False,
            STARTING,
            format!("Not every collector runs yet.{why}"),
        )
    };
    [
        (ConditionType::ApiAvailable, api),
        (ConditionType::CollectorReady, collector),
    ]
    .into_iter()
    .map(|(condition, (status, reason, message))| Finding::new(condition, status, reason, message))
    .collect()
}

fn as_before(condition: ConditionType, before: &[Condition]) -> Option<Finding> {
    let old = condition.among(before)?;
    let status = match old.status.as_str() {
        "True" => ConditionStatus::True,
        "False" => ConditionStatus::False,
        _ => ConditionStatus::Unknown,
    };
    Some(Finding::new(condition, status, &old.reason, &old.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::conditions::conditions;
    use docket_crds::labels;
    use jiff::Timestamp;
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    fn rollout(ready: i32, serving: i32) -> Rollouts {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"generation": 1},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": 1, "replicas": serving.max(2) + i32::from(ready < serving),
                "updatedReplicas": 2, "availableReplicas": serving},
        }))
        .expect("a Deployment");
        of_api(&deployment)
    }

    fn of_api(deployment: &Deployment) -> Rollouts {
        let api = (labels::API.to_owned(), Rollout::of(deployment));
        [api].into_iter().collect()
    }

    fn status_of(findings: &[Finding], condition: ConditionType) -> (ConditionStatus, &str) {
        let found = findings
            .iter()
            .find(|finding| finding.condition == condition);
        let found = found.expect("every condition is there");
        (found.status, &found.reason)
    }

    #[test]
    fn a_problem_shows_on_its_condition_and_on_ready_and_leaves_the_rest_as_it_was() {
        let problem = Problem::new(ConditionType::DatabaseReady, "SecretNotFound", "Create it.");
        let before = conditions(
            &[],
            &[Finding::new(
                ConditionType::CredentialsReady,
                ConditionStatus::True,
                "Issued",
                "",
            )],
            Some(1),
            Timestamp::UNIX_EPOCH,
        );
        let findings = of_problem(&problem, Some((&rollout(2, 2), &[])), &before);
        for (condition, expected) in [
            (
                ConditionType::Ready,
                (ConditionStatus::False, "SecretNotFound"),
            ),
            (
                ConditionType::DatabaseReady,
                (ConditionStatus::False, "SecretNotFound"),
            ),
            (
                ConditionType::CredentialsReady,
                (ConditionStatus::True, "Issued"),
            ),
            (
                ConditionType::ApiAvailable,
                (ConditionStatus::True, "Available"),
            ),
            (
                ConditionType::CollectorReady,
                (ConditionStatus::True, "Running"),
            ),
        ] {
            assert_eq!(status_of(&findings, condition), expected, "{condition}");
        }
    }

    #[test]
    fn a_tenant_at_rest_is_neither_ready_nor_not_and_the_rest_is_as_it_is() {
        let findings = of_rest("Paused", "Resting.", Some((&rollout(2, 2), &[])), &[]);
        for (condition, expected) in [
            (ConditionType::Ready, (ConditionStatus::Unknown, "Paused")),
            (
                ConditionType::DatabaseReady,
                (ConditionStatus::Unknown, "NotReached"),
            ),
            (
                ConditionType::ApiAvailable,
                (ConditionStatus::True, "Available"),
            ),
        ] {
            assert_eq!(status_of(&findings, condition), expected, "{condition}");
        }
    }

    #[test]
    fn a_problem_with_the_database_does_not_hide_what_is_wrong_with_telemetry() {
        let problem = Problem::new(ConditionType::DatabaseReady, "SecretNotFound", "Create it.");
        let collector = |reason: &str| {
            let before = Finding::new(
                ConditionType::CollectorReady,
                ConditionStatus::False,
                reason,
                "",
            );
            let before = conditions(&[], &[before], Some(1), Timestamp::UNIX_EPOCH);
            let findings = of_problem(&problem, Some((&rollout(2, 2), &[])), &before);
            let (status, reason) = status_of(&findings, ConditionType::CollectorReady);
            (status, reason.to_owned())
        };
        assert_eq!(
            collector("SecretInvalid"),
            (ConditionStatus::False, "SecretInvalid".into())
        );
        assert_eq!(
            collector(FAILING),
            (ConditionStatus::True, "Running".into())
        );
    }

    #[test]
    fn telemetry_that_is_lost_is_said_where_the_collectors_run_and_is_something_to_mend() {
        let loss = Notice {
            reason: "TelemetryDropped",
            message: "Look.".into(),
        };
        let collector = |ready, loss: Option<&Notice>| {
            let findings = of_rest("Paused", "", Some((&rollout(ready, ready), &[])), &[]);
            let findings = with_loss(findings, loss);
            let found = findings
                .into_iter()
                .find(|it| it.condition == ConditionType::CollectorReady)
                .expect("every condition is there");
            let one = std::slice::from_ref(&found);
            let said = conditions(&[], one, Some(1), Timestamp::UNIX_EPOCH);
            (found.status, found.reason, asks_to_mend(&said[0]))
        };
        let lost = (ConditionStatus::True, "TelemetryDropped".to_owned(), true);
        assert_eq!(collector(2, Some(&loss)), lost);
        assert_eq!(
            collector(2, None),
            (ConditionStatus::True, RUNNING.to_owned(), false)
        );
        let starting = (ConditionStatus::False, STARTING.to_owned(), false);
        assert_eq!(collector(0, Some(&loss)), starting);
    }

    #[test]
    fn all_conditions_are_there_after_a_first_visit_that_failed() {
        let problem = Problem::new(ConditionType::DatabaseReady, "SecretNotFound", "Create it.");
        let findings = of_problem(&problem, None, &[]);
        assert_eq!(findings.len(), 1 + ConditionType::PARTS.len());
        assert_eq!(
            status_of(&findings, ConditionType::ApiAvailable),
            (ConditionStatus::Unknown, "NotReached")
        );
    }

    #[test]
    fn what_should_be_mended_is_said_and_keeps_nobody_from_being_served() {
        let notice = |reason| Notice {
            reason,
            message: "Mend it.".into(),
        };
        let finding = of_credentials(
            &names::api_keys_secret("acme"),
            &[notice("One"), notice("Other")],
        );
        assert_eq!(
            (finding.status, &*finding.reason),
            (ConditionStatus::True, "One")
        );
        assert_eq!(finding.message, "Mend it. Mend it.");
        assert_eq!(
            of_credentials(&names::api_keys_secret("acme"), &[]).reason,
            ISSUED
        );
    }

    #[test]
    fn a_rollout_that_still_serves_is_available_and_not_ready() {
        let parts = of_pods(&rollout(1, 2), &[]);
        assert_eq!(
            status_of(&parts, ConditionType::ApiAvailable),
            (ConditionStatus::True, "RollingOut")
        );
        assert_eq!(
            ready(&parts, &rollout(1, 2), &[], None).status,
            ConditionStatus::False
        );
    }

    #[test]
    fn what_waits_for_a_rollout_that_does_not_end_is_said_on_ready() {
        let wanted = crate::validated_tenant::example::acme();
        let removed = ClientStatus {
            name: "hooli".into(),
            ..ClientStatus::default()
        };
        let said = |rollouts: &Rollouts| {
            let progress = Progress {
                wanted: &wanted,
                rollouts,
                remaining: vec![removed.clone()],
                changed: None,
            };
            let findings = of_progress(&progress, &[]);
            let [ready, rest @ ..] = &findings[..] else {
                unreachable!("Ready comes first")
            };
            assert!(rest.iter().all(|it| !it.message.contains("hooli")));
            (ready.status, ready.message.contains("stay: hooli."))
        };
        assert_eq!(said(&rollout(1, 2)), (ConditionStatus::False, true));
        assert_eq!(said(&rollout(2, 2)), (ConditionStatus::True, false));
    }

    #[test]
    fn what_the_cluster_cannot_give_keeps_a_tenant_from_being_ready_and_from_nothing_else() {
        let lacking = Notice {
            reason: "GatewayApiMissing",
            message: "Install it.".into(),
        };
        let parts = of_pods(&rollout(2, 2), &[]);
        let found = ready(&parts, &rollout(2, 2), &[], Some(&lacking));
        assert_eq!(
            (found.status, &*found.reason, &*found.message),
            (ConditionStatus::False, "GatewayApiMissing", "Install it.")
        );
        assert_eq!(
            status_of(&parts, ConditionType::ApiAvailable),
            (ConditionStatus::True, "Available")
        );
    }

    #[test]
    fn an_api_that_is_scaled_to_nothing_is_not_available() {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"generation": 1},
            "spec": {"replicas": 0, "selector": {}, "template": {}},
            "status": {"observedGeneration": 1},
        }))
        .expect("a Deployment");
        assert_eq!(
            status_of(
                &of_pods(&of_api(&deployment), &[]),
                ConditionType::ApiAvailable
            ),
            (ConditionStatus::False, "NoPodServes")
        );
    }

    #[test]
    fn an_api_without_a_serving_pod_is_not_available() {
        let parts = of_pods(&rollout(0, 0), &[]);
        assert_eq!(
            status_of(&parts, ConditionType::ApiAvailable),
            (ConditionStatus::False, "NoPodServes")
        );
    }
}
