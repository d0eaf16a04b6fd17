//! What is recorded of a tenant, and how it leaves the cluster.

use docket_contract::Tls;

use super::Notice;
use crate::credentials::headers::Headers;

/// Telemetry of a tenant as it should be.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    /// Where the collectors send to; without it they send nothing.
    pub endpoint: Option<String>,
    /// Authorities of the endpoint's certificate, as PEM; those that everybody trusts by default.
    pub authorities: Option<String>,
    /// The certificate that the collectors show.
    pub certificate: Option<Tls>,
    /// Name that the endpoint's certificate must have; that of the endpoint by default.
    pub server_name: Option<String>,
    /// What is sent along.
    pub headers: Headers,
    /// Regular expressions of what is taken out beside what always is.
    pub redacted: Vec<String>,
    /// Part of the traces that is recorded, from 0 to 1; so many a second by default.
    pub sampling_ratio: Option<String>,
    /// Why nothing is sent, or soon will not be, though the spec asks for it.
    pub trouble: Option<Notice>,
}
