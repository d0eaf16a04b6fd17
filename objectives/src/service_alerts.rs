//! Alerts on how the API of a tenant does, whatever it promises.

use std::collections::BTreeMap;

use crate::alert::Severity;
use crate::links::{Dashboard, Links};
use crate::promql::{Count, NAMESPACE, TENANT, tenants_of};
use crate::rules::{Group, Rule};
use crate::{Tenant, Window};

/// How often they are evaluated.
const INTERVAL: &str = "15s";

/// What is counted over, so that one bad moment is not yet an alert.
const OVER: Window = Window::minutes(5);

/// Fewer requests or statements in that time say nothing about a share or a percentile.
const ENOUGH: u32 = 10;

/// How long it must have been so.
const LASTING: &str = "1m";

/// Which tenants' series.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// All of some namespaces, or of all where none is named.
    All(&'a [String]),
    /// One tenant.
    One(&'a Tenant),
}

impl Scope<'_> {
    fn selector(self) -> String {
        match self {
            Self::All(namespaces) => tenants_of(namespaces),
            Self::One(tenant) => selector(tenant),
        }
    }

    fn group(self) -> String {
        match self {
            Self::All(_) => "docket-service".into(),
            Self::One(tenant) => format!("docket-service-{}-{}", tenant.namespace, tenant.name),
        }
    }
}

fn selector(tenant: &Tenant) -> String {
    let Tenant {
        namespace, name, ..
    } = tenant;
    format!("{NAMESPACE}=\"{namespace}\",{TENANT}=\"{name}\"")
}

/// What is said of an alert; `{{ … }}` is Prometheus' own.
struct Alert {
    name: &'static str,
    severity: Severity,
    expr: String,
    /// Follows the tenant's name.
    summary: &'static str,
    description: String,
    dashboard: Dashboard,
}

/// The alerts that look the same for every tenant: one rule each for all that `scope` takes.
#[must_use]
pub fn service_alerts(scope: Scope<'_>, links: &Links) -> Group {
    let selector = scope.selector();
    let rules = [
        errors(&selector, 5, Severity::Warning),
        errors(&selector, 10, Severity::Page),
        latency(&selector, 1, Severity::Warning),
        latency(&selector, 2, Severity::Page),
        slow_database(&selector),
        database_errors(&selector),
        pool_exhausted(&selector),
        memory(&selector),
        maintenance_refused(&selector),
        task_panicked(&selector),
    ];
    Group {
        name: scope.group(),
        interval: INTERVAL.into(),
        rules: rules.into_iter().map(|it| rule(it, links)).collect(),
    }
}

/// The alerts that must name their tenant: a series that is missing has no labels.
#[must_use]
pub fn presence_alerts(tenant: &Tenant, links: &Links) -> Group {
    let traffic = tenant.least_traffic.map(|least| low_traffic(tenant, least));
    let rules = [Some(down(tenant)), traffic].into_iter().flatten();
    Group {
        name: format!("docket-presence-{}-{}", tenant.namespace, tenant.name),
        interval: INTERVAL.into(),
        rules: rules
            .map(|alert| {
                let mut rule = rule(alert, links);
                rule.labels.extend([
                    (NAMESPACE.to_owned(), tenant.namespace.clone()),
                    (TENANT.to_owned(), tenant.name.clone()),
                    ("tenant".to_owned(), tenant.name.clone()),
                ]);
                for text in rule.annotations.values_mut() {
                    *text = text
                        .replace("{{ $labels.docket_tenant }}", &tenant.name)
                        .replace("{{ $labels.namespace }}", &tenant.namespace);
                }
                rule
            })
            .collect(),
    }
}

fn rule(alert: Alert, links: &Links) -> Rule {
    let labels = [
        ("severity", alert.severity.label()),
        ("tenant", "{{ $labels.docket_tenant }}"),
    ];
    let summary = format!(
        "{{{{ $labels.docket_tenant }}}} in {{{{ $labels.namespace }}}} {}",
        alert.summary
    );
    let annotations: BTreeMap<String, String> = [
        ("summary".to_owned(), summary),
        ("description".to_owned(), alert.description),
    ]
    .into_iter()
    .chain(links.of(alert.name, alert.dashboard))
    .collect();
    Rule {
        alert: Some(alert.name.into()),
        expr: alert.expr,
        lasting: Some(LASTING.into()),
        labels: labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        annotations,
        ..Rule::default()
    }
}

const BY: [&str; 2] = [NAMESPACE, TENANT];

fn by() -> String {
    BY.join(", ")
}

fn count<'a>(function: &'a str, selector: &'a str) -> Count<'a> {
    Count {
        function,
        selector,
        workload: None,
        by: &BY,
        window: OVER,
    }
}

fn errors(selector: &str, percent: u32, severity: Severity) -> Alert {
    let (rate, added) = (count("rate", selector), count("increase", selector));
    Alert {
        name: "DocketErrorRateHigh",
        severity,
        expr: format!(
            "{} / {} > {} and {} >= {ENOUGH}",
            rate.failed(),
            rate.all(),
            f64::from(percent) / 100.0,
            added.all()
        ),
        summary: "answers too many requests with a 5xx",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of requests failed over the last {OVER}; more than \
             {percent} % is an alert."
        ),
        dashboard: Dashboard::Service,
    }
}

fn latency(selector: &str, seconds: u32, severity: Severity) -> Alert {
    let buckets = Count {
        by: &[NAMESPACE, TENANT, "le"],
        ..count("rate", selector)
    };
    let p95 = format!("histogram_quantile(0.95, {})", buckets.within(".+"));
    Alert {
        name: "DocketLatencyHigh",
        severity,
        expr: format!(
            "{p95} > {seconds} and {} >= {ENOUGH}",
            count("increase", selector).answered()
        ),
        summary: "answers slowly",
        description: format!(
            "One of twenty requests took longer than {{{{ $value | humanizeDuration }}}} over the last \
             {OVER}; more than {seconds} s is an alert."
        ),
        dashboard: Dashboard::Service,
    }
}

/// Statements by `function`, of those that `more` takes too.
fn statements(function: &str, metric: &str, selector: &str, more: &str, by: &str) -> String {
    format!("sum by ({by}) ({function}({metric}{{{selector}{more}}}[{OVER}]))")
}

fn slow_database(selector: &str) -> Alert {
    let buckets = "database_operation_duration_seconds_bucket";
    let by_bound = format!("{}, le", by());
    let enough = statements("increase", "database_operations_total", selector, "", &by());
    Alert {
        name: "DocketDatabaseSlow",
        severity: Severity::Warning,
        expr: format!(
            "histogram_quantile(0.95, {}) > 1 and {enough} >= {ENOUGH}",
            statements("rate", buckets, selector, "", &by_bound)
        ),
        summary: "waits for its database",
        description: format!(
            "One of twenty SQL statements took longer than {{{{ $value | humanizeDuration }}}} over the \
             last {OVER}; more than 1 s is an alert."
        ),
        dashboard: Dashboard::Database,
    }
}

fn database_errors(selector: &str) -> Alert {
    let of =
        |function, more| statements(function, "database_operations_total", selector, more, &by());
    Alert {
        name: "DocketDatabaseErrors",
        severity: Severity::Warning,
        expr: format!(
            "{} / {} > 0.05 and {} >= {ENOUGH}",
            of("rate", ",success=\"false\""),
            of("rate", ""),
            of("increase", "")
        ),
        summary: "has SQL statements that fail",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of SQL statements failed over the last {OVER}; more \
             than 5 % is an alert."
        ),
        dashboard: Dashboard::Database,
    }
}

fn pool_exhausted(selector: &str) -> Alert {
    // Shorter than the others: a caller who waited in vain is told so at once.
    let over = Window::minutes(2);
    Alert {
        name: "DocketPoolExhausted",
        severity: Severity::Warning,
        expr: format!(
            "sum by ({}) (increase(database_connection_timeouts_total{{{selector}}}[{over}])) >= 1",
            by()
        ),
        summary: "has no connection to Postgres left for its requests",
        description: format!(
            "{{{{ $value | humanize }}}} requests waited two seconds for a connection and got none over \
             the last {over}."
        ),
        dashboard: Dashboard::Database,
    }
}

fn memory(selector: &str) -> Alert {
    let used = format!("memory_working_set_bytes{{{selector}}}");
    let most = format!("memory_limit_bytes{{{selector}}}");
    Alert {
        name: "DocketMemoryHigh",
        severity: Severity::Warning,
        expr: format!(
            "max by ({by}) ({used} / on ({by}, instance) {most}) > 0.8",
            by = by()
        ),
        summary: "has a pod that is short of memory",
        description:
            "{{ $value | humanizePercentage }} of the limit are used; more than 80 % is an \
                      alert, and at 100 % the kernel ends the pod's processes."
                .into(),
        dashboard: Dashboard::Service,
    }
}

fn maintenance_refused(selector: &str) -> Alert {
    // It is tried at each visit, which comes every ten minutes; the first count of a pod is no increase.
    let over = Window::hours(1);
    Alert {
        name: "DocketMaintenanceRefused",
        severity: Severity::Page,
        expr: format!(
            "sum by ({}) (increase(docket_maintenance_runs_total{{{selector},outcome=\"refused\"}}[{over}])) > 0",
            by()
        ),
        summary: "does not delete content until somebody looked",
        description: "The content belongs to another database or tenant, or far more of it than usual has no \
                      row that names it; the condition CredentialsReady says which, and what to do. Nothing is lost by waiting."
            .into(),
        dashboard: Dashboard::Service,
    }
}

fn task_panicked(selector: &str) -> Alert {
    // Longer than the longest pause before it begins anew: one that panics each time is told until it is mended.
    let over = Window::minutes(15);
    Alert {
        name: "DocketTaskPanicked",
        severity: Severity::Warning,
        expr: format!(
            "sum by ({}, task) (increase(docket_task_panics_total{{{selector}}}[{over}])) > 0",
            by()
        ),
        summary: "has work beside its requests that panics",
        description: format!(
            "{{{{ $labels.task }}}} panicked {{{{ $value | humanize }}}} times over the last {over}, and began anew; it is a \
             fault of the server's own."
        ),
        dashboard: Dashboard::Service,
    }
}

fn down(tenant: &Tenant) -> Alert {
    let pods = selector(tenant);
    let checked = |status: &str| {
        format!(
            "sum by ({}) (increase(health_check_total{{{pods},component=\"data_store\",{status}}}[1m]))",
            by()
        )
    };
    Alert {
        name: "DocketServiceDown",
        severity: Severity::Page,
        expr: format!(
            "absent(up{{{pods},container!=\"collector\"}} == 1) or ({} > 0 unless {} > 0)",
            checked("status=\"unhealthy\""),
            checked("status!=\"unhealthy\"")
        ),
        summary: "serves nobody",
        description: "No pod of the API answers, or each of them says that no client's \
                      database can be used."
            .into(),
        dashboard: Dashboard::Service,
    }
}

fn low_traffic(tenant: &Tenant, least: u32) -> Alert {
    let pods = selector(tenant);
    let asked = Count {
        by: &[],
        ..count("rate", &pods)
    };
    Alert {
        name: "DocketTrafficLow",
        severity: Severity::Warning,
        expr: format!("({} or vector(0)) < {least}", asked.all()),
        summary: "is asked less than it should be",
        description: format!(
            "{{{{ $value | humanize }}}} requests a second over the last {OVER}; spec.alerts asks to be \
             told of fewer than {least}."
        ),
        dashboard: Dashboard::Service,
    }
}
