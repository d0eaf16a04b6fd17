//! Where an alert leads to.

/// URLs that the pages of alerts and the dashboards are below; none where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Base of `<alert>.md`.
    pub runbooks: Option<String>,
    /// Base of a Grafana.
    pub dashboards: Option<String>,
}

/// Dashboards, by their uid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dashboard {
    Database,
    Objectives,
    Service,
}

impl Dashboard {
    const fn uid(self) -> &'static str {
        match self {
            Self::Database => "docket-database",
            Self::Objectives => "docket-objectives",
            Self::Service => "docket-service",
        }
    }
}

impl Links {
    /// The annotations `runbook_url` and `dashboard_url` of `alert`, whose labels name the tenant.
    pub(crate) fn of(
        &self,
        alert: &str,
        dashboard: Dashboard,
    ) -> impl Iterator<Item = (String, String)> + use<> {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        let runbook = self.runbooks.as_deref().map(|url| {
            let url = format!("{}/{alert}.md", base(url));
            ("runbook_url".to_owned(), url)
        });
        let dashboard = self.dashboards.as_deref().map(|url| {
            let url = format!(
                "{}/d/{}?var-namespace={{{{ $labels.namespace }}}}&var-tenant={{{{ $labels.docket_tenant }}}}",
                base(url),
                dashboard.uid()
            );
            ("dashboard_url".to_owned(), url)
        });
        runbook.into_iter().chain(dashboard)
    }
}
