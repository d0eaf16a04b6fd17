//! What a Prometheus is asked for the status of all tenants at once: one query a window.

use std::collections::{BTreeSet, HashMap};

use crate::promql::{Count, NAMESPACE, TENANT, WORKLOAD, literal, tenants_of};
use crate::{Indicator, Objective, Requests, Window};

/// Label that tells apart what was counted.
const KIND: &str = "docket_requests";
const ALL: &str = "all";
const FAILED: &str = "failed";
const ANSWERED: &str = "answered";
const WITHIN: &str = "within";

/// How finely requests are to be told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Milliseconds, each one of [`THRESHOLDS`](crate::THRESHOLDS).
    thresholds: BTreeSet<u32>,
    /// Answers grow with the workloads that a tenant has.
    by_workload: bool,
}

impl Detail {
    /// As finely as `objectives` need it.
    #[must_use]
    pub fn of(objectives: &[Objective]) -> Self {
        let threshold = |objective: &Objective| match objective.indicator {
            Indicator::Availability => None,
            Indicator::Latency { threshold } => Some(threshold),
        };
        Self {
            thresholds: objectives.iter().filter_map(threshold).collect(),
            by_workload: objectives.iter().any(|it| it.workload.is_some()),
        }
    }
}

/// Asks for the requests of `window` of all tenants, told apart as far as `detail` says; of some namespaces,
/// or of all where none is named.
#[must_use]
pub fn query(window: Window, namespaces: &[String], detail: &Detail) -> String {
    let selector = tenants_of(namespaces);
    let count = |by| Count {
        function: "increase",
        selector: &selector,
        workload: None,
        by,
        window,
    };
    let by: &[&str] = match detail.by_workload {
        true => &[NAMESPACE, TENANT, WORKLOAD],
        false => &[NAMESPACE, TENANT],
    };
    let kind = |kind: &str, counted: String| {
        format!("label_replace({counted}, \"{KIND}\", \"{kind}\", \"\", \"\")")
    };
    let tenants = count(by);
    let mut parts = vec![kind(ALL, tenants.all()), kind(FAILED, tenants.failed())];
    if !detail.thresholds.is_empty() {
        let bounds: Vec<String> = detail
            .thresholds
            .iter()
            .map(|threshold| literal(&Indicator::bound(*threshold)))
            .collect();
        let by = [by, &["le"]].concat();
        let buckets = count(&by);
        parts.push(kind(ANSWERED, tenants.answered()));
        parts.push(kind(WITHIN, buckets.within(&bounds.join("|"))));
    }
    parts.join(" or ")
}

/// One sample of an answer: its labels and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values of its labels.
    pub labels: HashMap<String, String>,
    /// Requests.
    pub value: f64,
}

/// The requests of one window, by tenant and, where they are told apart, by workload.
#[derive(Clone, Debug, Default)]
pub struct Answer(HashMap<(String, String), HashMap<String, Counted>>);

#[derive(Clone, Debug, Default)]
struct Counted {
    all: f64,
    failed: f64,
    answered: f64,
    /// By the bound of the bucket.
    within: HashMap<String, f64>,
}

impl Answer {
    /// What `samples`, the answer to a [`query`], say. Those of other shapes are passed over.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = Sample>) -> Self {
        let mut tenants: HashMap<(String, String), HashMap<String, Counted>> = HashMap::new();
        for Sample { mut labels, value } in samples {
            let (Some(namespace), Some(tenant), Some(kind)) = (
                labels.remove(NAMESPACE),
                labels.remove(TENANT),
                labels.remove(KIND),
            ) else {
                continue;
            };
            let workload = labels.remove(WORKLOAD).unwrap_or_default();
            let workloads = tenants.entry((namespace, tenant)).or_default();
            let counted = workloads.entry(workload).or_default();
            match (kind.as_str(), labels.remove("le")) {
                (ALL, _) => counted.all = value,
                (FAILED, _) => counted.failed = value,
                (ANSWERED, _) => counted.answered = value,
                (WITHIN, Some(bound)) => {
                    counted.within.insert(bound, value);
                }
                _ => {}
            }
        }
        Self(tenants)
    }

    /// The requests that `objective` is about; none where nothing is known of the tenant or the workload.
    #[must_use]
    pub fn requests(&self, objective: &Objective) -> Requests {
        let tenant = (objective.namespace.clone(), objective.tenant.clone());
        let workloads = self.0.get(&tenant).into_iter().flatten();
        let concerned = workloads.filter(|(workload, _)| {
            let named = objective.workload.as_ref();
            named.is_none_or(|named| named == *workload)
        });
        let concerned: Vec<&Counted> = concerned.map(|(_, counted)| counted).collect();
        let sum = |of: &dyn Fn(&Counted) -> f64| concerned.iter().map(|it| of(it)).sum::<f64>();
        match objective.indicator {
            Indicator::Availability => Requests {
                total: sum(&|it| it.all),
                bad: sum(&|it| it.failed),
            },
            Indicator::Latency { threshold } => {
                let bound = Indicator::bound(threshold);
                let answered = sum(&|it| it.answered);
                let within = sum(&|it| it.within.get(&bound).copied().unwrap_or_default());
                Requests {
                    total: answered,
                    bad: (answered - within).max(0.0),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sample {
            labels: labels.iter().map(owned).collect(),
            value,
        }
    }

    fn objective(tenant: &str, indicator: Indicator) -> Objective {
        Objective {
            namespace: "acme".into(),
            tenant: tenant.into(),
            name: "x".into(),
            target: "99".parse().expect("a target"),
            workload: None,
            indicator,
            window: Window::days(30),
        }
    }

    #[test]
    fn one_query_asks_for_all_tenants_and_all_thresholds() {
        let detail = Detail {
            thresholds: [300, 1000].into(),
            by_workload: false,
        };
        insta::assert_snapshot!(query(Window::hours(1), &[], &detail));
    }

    #[test]
    fn without_thresholds_no_bucket_is_asked_for() {
        let namespaces = ["acme".to_owned(), "globex".to_owned()];
        let query = query(Window::minutes(5), &namespaces, &Detail::default());
        insta::assert_snapshot!(query);
    }

    #[test]
    fn a_slow_answer_is_one_that_no_bucket_within_the_threshold_has() {
        let of = |kind, more: &[(&str, &str)], value| {
            let labels = [
                ("namespace", "acme"),
                ("docket_tenant", "acme"),
                (KIND, kind),
            ];
            sample(&[labels.as_slice(), more].concat(), value)
        };
        let answer = Answer::of([
            of(ALL, &[], 100.0),
            of(FAILED, &[], 10.0),
            of(ANSWERED, &[], 90.0),
            of(WITHIN, &[("le", "0.3")], 60.0),
            of(WITHIN, &[("le", "1")], 85.0),
            sample(&[("instance", "else")], 7.0),
        ]);
        let requests = |indicator| answer.requests(&objective("acme", indicator));
        let expected = |total, bad| Requests { total, bad };
        assert_eq!(requests(Indicator::Availability), expected(100.0, 10.0));
        assert_eq!(
            requests(Indicator::Latency { threshold: 300 }),
            expected(90.0, 30.0)
        );
        assert_eq!(
            requests(Indicator::Latency { threshold: 1000 }),
            expected(90.0, 5.0)
        );
        let unknown = objective("globex", Indicator::Availability);
        assert_eq!(answer.requests(&unknown), expected(0.0, 0.0));
    }

    #[test]
    fn workloads_are_told_apart_once_an_objective_names_one() {
        let of_all = objective("acme", Indicator::Latency { threshold: 300 });
        let of_one = Objective {
            workload: Some("documents".into()),
            ..objective("acme", Indicator::Availability)
        };
        assert!(!Detail::of(std::slice::from_ref(&of_all)).by_workload);
        let detail = Detail::of(&[of_all, of_one]);
        insta::assert_snapshot!(query(Window::hours(1), &[], &detail));
    }

    #[test]
    fn an_objective_counts_the_requests_of_its_workload_and_one_without_those_of_all() {
        let of = |workload, kind, more: &[(&str, &str)], value| {
            let labels = [
                ("namespace", "acme"),
                ("docket_tenant", "acme"),
                (WORKLOAD, workload),
                (KIND, kind),
            ];
            sample(&[labels.as_slice(), more].concat(), value)
        };
        let bound = [("le", "0.3")];
        let answer = Answer::of([
            of("documents", ALL, &[], 100.0),
            of("documents", FAILED, &[], 10.0),
            of("documents", ANSWERED, &[], 90.0),
            of("documents", WITHIN, &bound, 60.0),
            of("platform", ALL, &[], 7.0),
            of("platform", FAILED, &[], 2.0),
            of("platform", ANSWERED, &[], 5.0),
            of("platform", WITHIN, &bound, 4.0),
        ]);
        let late = Indicator::Latency { threshold: 300 };
        for (workload, indicator, total, bad) in [
            (None, Indicator::Availability, 107.0, 12.0),
            (None, late, 95.0, 31.0),
            (Some("documents"), Indicator::Availability, 100.0, 10.0),
            (Some("documents"), late, 90.0, 30.0),
            (Some("orders"), Indicator::Availability, 0.0, 0.0),
        ] {
            let objective = Objective {
                workload: workload.map(Into::into),
                ..objective("acme", indicator)
            };
            let requests = answer.requests(&objective);
            assert_eq!(
                requests,
                Requests { total, bad },
                "{workload:?} {indicator:?}"
            );
        }
    }

    #[test]
    fn a_tenant_without_a_single_failure_has_none() {
        let labels = [
            ("namespace", "acme"),
            ("docket_tenant", "acme"),
            (KIND, ALL),
        ];
        let answer = Answer::of([sample(&labels, 5.0)]);
        let requests = answer.requests(&objective("acme", Indicator::Availability));
        assert_eq!(
            requests,
            Requests {
                total: 5.0,
                bad: 0.0
            }
        );
    }
}
