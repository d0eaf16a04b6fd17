//! What every reconcile shares.

use std::time::Duration;

use kube::Client;

use crate::backoff::Backoff;
use crate::build::Images;
use crate::content::Content;
use crate::database::{AdminConnection, Databases};
use crate::fence::Fence;
use crate::held_reports::HeldReports;
use crate::last_known::LastKnown;
use crate::latest::Latest;
use crate::losses::Losses;
use crate::metrics::Metrics;
use crate::optional_kinds::OptionalKinds;
use crate::pace::Pace;
use crate::recent_surveys::RecentSurveys;
use crate::recheck::Recheck;
use crate::referenced_secrets::ReferencedSecrets;
use crate::stores::{Filled, Stores};
use crate::story::Story;

/// Name under which the operator owns fields (server-side apply).
pub const FIELD_MANAGER: &str = "docket-operator";

/// What every reconcile shares.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// Until when anything may be written.
    pub fence: Fence,
    /// What is known of the cluster.
    pub stores: Stores,
    /// Whether that is all there is to know.
    pub filled: Filled,
    /// Which of the kinds that a cluster may lack it has.
    pub optional: OptionalKinds,
    /// The Secrets that tenants name.
    pub referenced_secrets: ReferencedSecrets,
    /// The tenants' databases.
    pub databases: Databases,
    /// What they held a moment ago.
    pub surveys: RecentSurveys,
    /// How the tenants' databases were last reached.
    pub connections: LastKnown<AdminConnection>,
    /// The tenants' buckets, as they were last reached.
    pub contents: LastKnown<Content>,
    /// Images and the like that tenants get by default.
    pub images: Images,
    /// Our own writes that the watch may not have brought yet.
    pub latest: Latest,
    /// What is known of telemetry that is lost.
    pub losses: Losses,
    /// Tenants to look at again.
    pub recheck: Recheck,
    /// When tenants were last looked at.
    pub pace: Pace,
    /// How long one of them may take to let data go before others have their turn.
    pub turn: Duration,
    /// Reports that wait for the next.
    pub held: HeldReports,
    /// Failures in a row.
    pub backoff: Backoff,
    /// What is counted.
    pub metrics: Metrics,
    /// Events.
    pub story: Story,
}
