//! What a Prometheus is asked for the status of all tenants at once: one query a window.

use std::collections::HashMap;

use crate::promql::{Count, NAMESPACE, TENANT, literal};
use crate::{Indicator, Objective, Requests, Window};

/// Label that tells apart what was counted.
const KIND: &str = "docket_requests";
const ALL: &str = "all";
const FAILED: &str = "failed";
const ANSWERED: &str = "answered";
const WITHIN: &str = "within";

/// Asks for the requests of `window` of all tenants, and for those within each of `thresholds`, in
/// milliseconds; of one namespace, or of all.
#[must_use]
pub fn query(window: Window, namespace: Option<&str>, thresholds: &[u32]) -> String {
    let of_one = namespace.map_or_else(String::new, |it| format!("{NAMESPACE}=\"{it}\","));
    let selector = format!("{of_one}{TENANT}!=\"\"");
    let count = |by| Count {
        function: "increase",
        selector: &selector,
        by,
        window,
    };
    let kind = |kind: &str, counted: String| {
        format!("label_replace({counted}, \"{KIND}\", \"{kind}\", \"\", \"\")")
    };
    let tenants = count(&[NAMESPACE, TENANT]);
    let mut parts = vec![kind(ALL, tenants.all()), kind(FAILED, tenants.failed())];
    if !thresholds.is_empty() {
        let bounds: Vec<String> = thresholds
            .iter()
            .map(|threshold| literal(&Indicator::bound(*threshold)))
            .collect();
        let buckets = count(&[NAMESPACE, TENANT, "le"]);
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

/// The requests of one window, by tenant.
#[derive(Clone, Debug, Default)]
pub struct Answer(HashMap<(String, String), Counted>);

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
        let mut tenants: HashMap<(String, String), Counted> = HashMap::new();
        for Sample { mut labels, value } in samples {
            let (Some(namespace), Some(tenant), Some(kind)) = (
                labels.remove(NAMESPACE),
                labels.remove(TENANT),
                labels.remove(KIND),
            ) else {
                continue;
            };
            let counted = tenants.entry((namespace, tenant)).or_default();
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

    /// The requests that `objective` is about; none where nothing is known of the tenant.
    #[must_use]
    pub fn requests(&self, objective: &Objective) -> Requests {
        let tenant = (objective.namespace.clone(), objective.tenant.clone());
        let Some(counted) = self.0.get(&tenant) else {
            return Requests::default();
        };
        match objective.indicator {
            Indicator::Availability => Requests {
                total: counted.all,
                bad: counted.failed,
            },
            Indicator::Latency { threshold } => {
                let within = counted.within.get(&Indicator::bound(threshold));
                Requests {
                    total: counted.answered,
                    bad: (counted.answered - within.copied().unwrap_or(0.0)).max(0.0),
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
            indicator,
            window: Window::days(30),
        }
    }

    #[test]
    fn one_query_asks_for_all_tenants_and_all_thresholds() {
        insta::assert_snapshot!(query(Window::hours(1), None, &[300, 1000]));
    }

    #[test]
    fn without_thresholds_no_bucket_is_asked_for() {
        insta::assert_snapshot!(query(Window::minutes(5), Some("acme"), &[]));
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
