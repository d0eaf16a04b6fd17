//! Expressions of Prometheus' query language that count requests.

use crate::{Indicator, Window};

/// Labels by which series of the API servers' pods are told apart; whoever scrapes them sets these.
pub(crate) const NAMESPACE: &str = "namespace";
pub(crate) const TENANT: &str = "docket_tenant";

/// Label by which the API servers tell whose route a request was for; that of the workload `none` is a
/// probe's, or not served.
pub(crate) const WORKLOAD: &str = "docket_workload";

/// Clients' requests: to all workloads and to what these share, and none of the probes'.
const OF_CLIENTS: &str = r#"docket_workload!~"none|""#;
const FAILED: &str = r#"status=~"5..""#;
const ANSWERED: &str = r#"status!~"5..""#;

/// Matchers of the series of all tenants of `namespaces`, or of all tenants where none is named.
#[must_use]
pub fn tenants_of(namespaces: &[String]) -> String {
    let tenants = format!("{TENANT}!=\"\"");
    match namespaces {
        [] => tenants,
        // A name of a namespace has nothing that a regular expression would take for something else.
        namespaces => format!("{NAMESPACE}=~\"{}\",{tenants}", namespaces.join("|")),
    }
}

/// `"a", "b"` → `a,b`, without what is empty.
fn matchers(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|it| !it.is_empty()).collect();
    parts.join(",")
}

/// `by`, as in `sum by (namespace) (…)`; nothing for all series together.
fn sum(by: &[&str], inner: &str) -> String {
    match by {
        [] => format!("sum({inner})"),
        labels => format!("sum by ({}) ({inner})", labels.join(", ")),
    }
}

/// Requests over `window` by `function`, `rate` or `increase`, of the series that `selector` takes.
pub(crate) struct Count<'a> {
    pub(crate) function: &'a str,
    pub(crate) selector: &'a str,
    /// To the routes of one workload; to all routes of clients without it.
    pub(crate) workload: Option<&'a str>,
    pub(crate) by: &'a [&'a str],
    pub(crate) window: Window,
}

impl Count<'_> {
    fn of(&self, metric: &str, which: &[&str]) -> String {
        let of_one = self.workload.map(|it| format!("{WORKLOAD}=\"{it}\""));
        let routes = of_one.as_deref().unwrap_or(OF_CLIENTS);
        let matchers = matchers(&[&[self.selector, routes], which].concat());
        let (function, window) = (self.function, self.window);
        sum(
            self.by,
            &format!("{function}({metric}{{{matchers}}}[{window}])"),
        )
    }

    /// Requests that were answered.
    pub(crate) fn all(&self) -> String {
        self.of("http_requests_total", &[])
    }

    /// Those of them that failed.
    pub(crate) fn failed(&self) -> String {
        self.of("http_requests_total", &[FAILED])
    }

    /// Those of them that did not.
    pub(crate) fn answered(&self) -> String {
        self.of("http_requests_total", &[ANSWERED])
    }

    /// Of these, the ones that were answered within one of these bounds, a regular expression.
    pub(crate) fn within(&self, bounds: &str) -> String {
        let bounds = format!("le=~\"{bounds}\"");
        self.of("http_request_duration_seconds_bucket", &[ANSWERED, &bounds])
    }

    /// The requests that `indicator` is about.
    pub(crate) fn total(&self, indicator: Indicator) -> String {
        match indicator {
            Indicator::Availability => self.all(),
            Indicator::Latency { .. } => self.answered(),
        }
    }

    /// The bad ones of these. A status that never occurred has no series, which means none.
    pub(crate) fn bad(&self, indicator: Indicator) -> String {
        match indicator {
            Indicator::Availability => format!("({} or 0 * {})", self.failed(), self.all()),
            Indicator::Latency { threshold } => format!(
                "clamp_min({} - {}, 0)",
                self.answered(),
                self.within(&literal(&Indicator::bound(threshold)))
            ),
        }
    }
}

/// A regular expression that matches `bound` and nothing else.
pub(crate) fn literal(bound: &str) -> String {
    bound.replace('.', "[.]")
}
