//! What a tenant asks for.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Affinity, Alerts, Autoscaling, DocumentTenantStatus, HttpRoute, Ingress, Issuer, Network,
    Objective, Quota, Resources, Retention, SecretReference, TopologySpreadConstraint,
    WorkloadName, Workloads, interval, text,
};

/// One organisation's document service: a document API and, for each of its clients, an isolated
/// Postgres schema.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "docket.dev",
    version = "v1alpha1",
    kind = "DocumentTenant",
    namespaced,
    shortname = "dt",
    category = "docket",
    status = "DocumentTenantStatus",
    derive = "PartialEq",
    doc = "One organisation's document service: a document API and, for each of its clients, an isolated Postgres schema.",
    annotation("helm.sh/resource-policy", "keep"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "API", type_ = "string", json_path = ".status.api.url"),
    printcolumn(name = "Clients", type_ = "integer", json_path = ".status.clientCount"),
    printcolumn(name = "Budget", type_ = "string", json_path = ".status.errorBudgetRemaining"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message("the name of a DocumentTenant becomes part of other names: at most 40 lower-case letters, digits and '-', starting with a letter and ending with a letter or digit"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.credentials) || !has(self.credentials.signingKeyRotation) || has(self.api) && has(self.api.auth) && has(self.api.auth.issuer)").message("credentials.signingKeyRotation needs api.auth.issuer, which has such keys"))]
#[x_kube(validation = Rule::new(format!("!has(self.objectives) || self.objectives.all(it, !has(it.workload) || {})", WorkloadName::is_in("self", "it.workload"))).message("an objective's workload must be one that workloads has: add it there, or take it out of the objective"))]
pub struct DocumentTenantSpec {
    /// While this is true nothing is changed, neither in the cluster nor in the database; the API goes
    /// on serving as it is. A deletion goes on too.
    #[serde(default)]
    pub paused: bool,
    /// The tenant's clients; each has a Postgres schema, a Postgres role and API keys of its own.
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub clients: Vec<Client>,
    /// Where the rows of all workloads are kept.
    pub database: Database,
    /// What the tenant runs for its clients.
    pub workloads: Workloads,
    /// The API: what all workloads have in common of it.
    #[serde(default)]
    pub api: Api,
    /// Where traces, metrics and logs go.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// The credentials that the operator makes.
    #[serde(default)]
    pub credentials: Credentials,
    /// What the API promises, of one workload or of all. How far it keeps it is on the status, where
    /// the operator is told of a Prometheus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub objectives: Vec<Objective>,
    /// Alerts that not every tenant wants.
    #[serde(default, skip_serializing_if = "Alerts::is_default")]
    pub alerts: Alerts,
}

impl DocumentTenantSpec {
    /// Every Secret that the spec names.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        let tls = self.api.tls.as_ref().map(|tls| &tls.secret_ref);
        let jwt = self.api.auth.jwt.as_ref();
        let ca = jwt.and_then(|jwt| jwt.ca_secret_ref.as_ref());
        let telemetry = &self.telemetry;
        let gateway = telemetry.tls.iter().flat_map(|tls| {
            [&tls.ca_secret_ref, &tls.certificate_secret_ref]
                .into_iter()
                .flatten()
        });
        std::iter::once(&self.database.secret_ref)
            .chain(self.workloads.secrets())
            .chain(tls)
            .chain(ca)
            .chain(gateway)
            .chain(&telemetry.headers_secret_ref)
    }
}

/// How often the credentials that the operator makes are made anew. Old and new ones overlap, so that
/// no request fails. The annotations `docket.dev/rotate`, `docket.dev/rotate-api-keys` and
/// `docket.dev/rotate-signing-keys` ask for it once with each new value, and `docket.dev/revoke` for logins of
/// which those before end at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// Time after which clients get new logins to the database, for example `30d` or `12h`; by
    /// default they keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", interval::PATTERN)).message("rotation must be a whole number of hours or days, such as 12h or 30d"))]
    pub rotation: Option<String>,
    /// Time after which clients get new API keys. The key before stays valid until the next one, as
    /// `<client>.previous` of the Secret `<tenant>-api-keys`. By default they keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", interval::PATTERN)).message("apiKeyRotation must be a whole number of hours or days, such as 12h or 30d"))]
    pub api_key_rotation: Option<String>,
    /// Time after which a tenant with `api.auth.issuer` signs with a new key, for example `90d`. The key
    /// before stays published until no token that it signed is good any more. By default it keeps its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", interval::PATTERN)).message("signingKeyRotation must be a whole number of hours or days, such as 30d"))]
    pub signing_key_rotation: Option<String>,
}

/// One customer of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Name of the client, as in its routes: `/clients/{name}/…`.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("a client's name consists of lower-case letters, digits and '-', and starts and ends with a letter or digit"))]
    pub name: String,
    /// Take over the data that was retained under this name. Without it, data that an earlier
    /// client or tenant left is never used. It is for once: take it out when the client is served, else
    /// whatever is retained under this name later is taken over, too.
    #[serde(default)]
    pub adopt: bool,
    /// What the client may store at most, old versions and trash included. It goes before all of
    /// `workloads.documents.quota`, which holds for clients that have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// How long documents that the client deletes can be restored; what
    /// `workloads.documents.retention` says by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// The Postgres database of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Secret with the keys `host`, `dbname`, `username`, `password` and, where they differ from
    /// the defaults, `port` (5432) and `sslmode` (prefer). The user needs CREATEROLE and CREATE on
    /// the database. It is used by the operator only; the API logs in as each client's own role.
    pub secret_ref: SecretReference,
    /// What happens to what a client stores when the client or the tenant is removed, and to what it
    /// stores of a workload when `workloads` no longer names that.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// What happens to data whose owner is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Keep schema and content, take away the login; a later client of that name may adopt them.
    #[default]
    Retain,
    /// Drop schema, role and content; of a workload, its tables and content.
    Delete,
}

/// The document API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.autoscaling) || !has(self.replicas)").message("replicas and autoscaling exclude each other: take replicas out, the autoscaler chooses the number of pods"))]
#[x_kube(validation = Rule::new("!has(self.autoscaling) || has(self.resources.requests) && has(self.resources.requests.cpu)").message("autoscaling needs resources.requests.cpu, of which its target is a percentage"))]
#[x_kube(validation = Rule::new("!has(self.ingress) || !has(self.httpRoute)").message("ingress and httpRoute exclude each other"))]
#[x_kube(validation = Rule::new("!has(self.ingress) && !has(self.httpRoute) || !has(self.auth) || !has(self.auth.mode) || self.auth.mode != 'None' || has(self.auth.allowExposed) && self.auth.allowExposed").message("with auth.mode None and ingress or httpRoute, everybody outside reads and writes all clients' data: choose ApiKey or Jwt, or say auth.allowExposed: true"))]
pub struct Api {
    /// Image of the API server; the operator's own release by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[^[:space:][:cntrl:]]+$')").message("image must not contain white space"))]
    pub image: Option<String>,
    /// Number of pods; 2 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub replicas: Option<i32>,
    /// Lets the number of pods follow the load, in place of `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Labels of the nodes that the pods may run on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 63, "pattern": text::LABEL_VALUE}))]
    #[x_kube(validation = Rule::new(format!("self.all(key, size(key) <= 317 && key.matches('{}'))", text::LABEL_KEY)).message("a label's key consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pods put up with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<Toleration>,
    /// Which nodes the pods prefer or need, and beside which pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// How evenly the pods are spread. By default they are over zones and nodes, as far as there is
    /// room; an empty list asks for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["topologyKey".into(), "whenUnsatisfiable".into()]))]
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// Compute resources of the API container.
    #[serde(default = "default_api_resources")]
    #[x_kube(validation = Rule::new("!has(self.limits) || !has(self.limits.memory) || !isQuantity(self.limits.memory) || quantity(self.limits.memory).compareTo(quantity('96Mi')) >= 0").message("limits.memory must be at least 96Mi: connections, uploads and the reading of files each have a part of it"))]
    pub resources: Resources,
    /// How callers prove which client they are.
    #[serde(default)]
    pub auth: Auth,
    /// How often each client may call.
    #[serde(default)]
    pub rate_limit: RateLimit,
    /// The certificate that the API is served with; without one it is served over plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// An Ingress for callers outside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// An HTTPRoute of the Gateway API for callers outside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRoute>,
    /// From where the API may be reached, where the cluster enforces NetworkPolicies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

impl Api {
    /// Number of pods where the spec names none.
    pub const DEFAULT_REPLICAS: i32 = 2;
}

impl Default for Api {
    fn default() -> Self {
        Self {
            image: None,
            replicas: None,
            autoscaling: None,
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            affinity: None,
            topology_spread_constraints: None,
            resources: default_api_resources(),
            auth: Auth::default(),
            rate_limit: RateLimit::default(),
            tls: None,
            ingress: None,
            http_route: None,
            network: None,
        }
    }
}

/// A taint of nodes that pods put up with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.key) || self.operator == 'Exists'").message("a toleration without a key needs the operator Exists, and means every taint"))]
#[x_kube(validation = Rule::new("!has(self.value) || self.operator == 'Equal'").message("value has no meaning with the operator Exists"))]
pub struct Toleration {
    /// Key of the taint; every one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 316))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LABEL_KEY)).message("a taint's key consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub key: Option<String>,
    /// Whether the taint's value counts.
    #[serde(default)]
    pub operator: TolerationOperator,
    /// Value of the taint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LABEL_VALUE)).message("a taint's value consists of letters, digits, '-', '_' and '.'"))]
    pub value: Option<String>,
    /// Effect of the taint; every one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
}

/// Whether a taint's value counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// It must be the same.
    #[default]
    Equal,
    /// It may be any.
    Exists,
}

/// What a taint does to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// None is put there.
    NoSchedule,
    /// None is put there while there is room elsewhere.
    PreferNoSchedule,
    /// Those that are there go, too.
    NoExecute,
}

/// How often each client may call, over all pods together. A request beyond that is answered with
/// 429 and says when to come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Requests a second that a client may keep up.
    #[serde(default = "default_requests_per_second")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_second: i32,
    /// Requests that a client may send at once after a pause; twice `requestsPerSecond` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: Option<i32>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            requests_per_second: default_requests_per_second(),
            burst: None,
        }
    }
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Secret of the type `kubernetes.io/tls`, such as cert-manager makes it: `tls.crt`, the
    /// certificate and what leads to its authority, and `tls.key`.
    pub secret_ref: SecretReference,
}

/// How callers prove which client they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.mode) || self.mode != 'Jwt' || has(self.jwt)").message("mode Jwt needs jwt, with the issuer and audience of the tokens"))]
#[x_kube(validation = Rule::new("!has(self.issuer) || !has(self.mode) || self.mode != 'None'").message("issuer needs mode ApiKey or Jwt: with None nobody is asked for a token"))]
#[x_kube(validation = Rule::new("!has(self.issuer) || !has(self.issuer.url) || !has(self.jwt) || self.issuer.url != self.jwt.issuer").message("issuer.url and jwt.issuer must differ: a token goes to the issuer that it names"))]
pub struct Auth {
    /// The mode.
    #[serde(default)]
    pub mode: AuthMode,
    /// Lets mode None go with `ingress` or `httpRoute`: something in front of the API asks callers for proof.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_exposed: bool,
    /// Whose tokens are accepted; for mode Jwt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// The tenant as an issuer of its own, whose tokens are accepted beside what the mode asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
}

/// The ways in which callers prove which client they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AuthMode {
    /// A key per client in the header `X-API-Key`; the operator keeps the keys in the Secret
    /// `<tenant>-api-keys`, one entry a client.
    #[default]
    ApiKey,
    /// A JSON Web Token of an issuer that you run, as `Authorization: Bearer`; its scopes say what
    /// the caller may do.
    Jwt,
    /// No proof: whoever reaches the API can read and write every client's documents.
    None,
}

/// Whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.jwksUrl) ? self.jwksUrl : self.issuer).startsWith('https://') || has(self.allowHttp) && self.allowHttp").message("jwksUrl, or issuer where there is none, must start with https://: over http:// whoever is on the way says which keys sign tokens; say allowHttp: true where nobody else is"))]
pub struct Jwt {
    /// The issuer, exactly as the claim `iss` has it.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''").message("issuer must be a URL such as https://login.example.com"))]
    pub issuer: String,
    /// The audience that the claim `aud` must have.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LINE)).message("audience must be one line, without control characters"))]
    pub audience: String,
    /// Where the issuer publishes its keys; by default what its
    /// `/.well-known/openid-configuration` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''").message("jwksUrl must be a URL such as https://login.example.com/keys"))]
    pub jwks_url: Option<String>,
    /// Lets the issuer's keys go over plain HTTP: nobody else may be on the way, as inside of one machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_http: bool,
    /// The claim that names the client, or the clients, whose routes the token opens.
    #[serde(default = "default_client_claim")]
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LINE)).message("clientClaim must be one line, without control characters"))]
    pub client_claim: String,
    /// Secret with the key `ca.crt`, the authorities of the issuer's certificate; by default those
    /// that everybody trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretReference>,
}

/// Where traces, metrics and logs go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.tls) || !has(self.endpoint) || url(self.endpoint).getScheme() == 'https'").message("tls needs an endpoint that starts with https://"))]
#[x_kube(validation = Rule::new("!has(self.headersSecretRef) || !has(self.endpoint) || self.endpoint.startsWith('https://') || has(self.allowHttp) && self.allowHttp").message("headersSecretRef needs an endpoint that starts with https://: over http:// whoever is on the way reads the headers; say allowHttp: true where nobody else is"))]
pub struct Telemetry {
    /// OTLP/gRPC endpoint that the collectors send to; the operator's own by default, and none
    /// where that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("isURL(self) && self.matches('^https?://([^][/?#@:[:space:]]+|[[][0-9A-Fa-f:.]+[]]):[0-9]{1,5}$')").message("endpoint must be a URL such as http://gateway.observability:4317, with a port and without a path"))]
    pub endpoint: Option<String>,
    /// Whom the collectors trust, and how they show who they are; by default the authorities that
    /// everybody trusts, and no certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TelemetryTls>,
    /// Secret of which each entry is a header that is sent along, such as `authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_secret_ref: Option<SecretReference>,
    /// Lets headers of `headersSecretRef` go over plain HTTP: nobody else may be on the way, as inside of one machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_http: bool,
    /// Which traces are recorded. By default the first fifty of each second, and of every other
    /// request that fails or is slow its one span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// What is taken out beside the personal data and secrets that always are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<Redaction>,
    /// The collector beside each API container.
    #[serde(default)]
    pub collector: Collector,
}

/// TLS of the way to the telemetry endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.caSecretRef) || has(self.certificateSecretRef) || has(self.serverName)").message("tls names caSecretRef, certificateSecretRef, serverName or several of them"))]
pub struct TelemetryTls {
    /// Secret with the key `ca.crt`, the authorities of the endpoint's certificate; by default those
    /// that everybody trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretReference>,
    /// Secret of the type `kubernetes.io/tls`, such as cert-manager makes it: the certificate that
    /// the collectors show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_secret_ref: Option<SecretReference>,
    /// Name that the endpoint's certificate must have; that of the endpoint by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$')").message("serverName must be the name of a host, such as gateway.example.com"))]
    pub server_name: Option<String>,
}

/// Which traces are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sampling {
    /// Part of the traces that begin in the API and are recorded, from `0` to `1`, such as `0.1`. A
    /// caller that sends a `traceparent` decides itself. Of a request that fails or is slow its one
    /// span is recorded in any case; with `1` a gateway may choose among whole traces.
    #[schemars(length(min = 1, max = 6))]
    #[x_kube(validation = Rule::new("self.matches('^(0([.][0-9]{1,4})?|1([.]0{1,4})?)$')").message("ratio must be a number from 0 to 1 with at most four decimals, such as 0.1"))]
    pub ratio: String,
}

/// What is taken out of telemetry beside what always is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Redaction {
    /// Regular expressions in the syntax of RE2. What matches one in an attribute, in the name of a
    /// span or in the text of a log line is replaced by `****`.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 256)))]
    // The engine of these rules is that of the collector: what it cannot read, it refuses here.
    #[x_kube(validation = Rule::new("self.all(p, !''.matches(p))").message("a pattern must be a regular expression of RE2 that does not match the empty text"))]
    #[x_kube(validation = Rule::new("self.all(p, !p.matches('[[:cntrl:]]'))").message("a pattern must be one line, without control characters"))]
    pub patterns: Vec<String>,
}

/// The OpenTelemetry Collector beside each API container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Collector {
    /// Image of the collector; the operator's own release by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[^[:space:][:cntrl:]]+$')").message("image must not contain white space"))]
    pub image: Option<String>,
    /// Compute resources of the collector's container.
    #[serde(default = "default_collector_resources")]
    pub resources: Resources,
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            image: None,
            resources: default_collector_resources(),
        }
    }
}

fn default_requests_per_second() -> i32 {
    1000
}

fn default_client_claim() -> String {
    "client_id".into()
}

fn default_api_resources() -> Resources {
    resources("50m", "64Mi", "256Mi")
}

fn default_collector_resources() -> Resources {
    resources("20m", "64Mi", "128Mi")
}

/// No CPU limit by default: a limit throttles a burst even when the node is idle.
fn resources(cpu: &str, memory: &str, memory_limit: &str) -> Resources {
    let list = |cpu: Option<&str>, memory: &str| {
        Some(crate::ResourceList {
            cpu: cpu.map(Into::into),
            memory: Some(memory.into()),
        })
    };
    Resources {
        requests: list(Some(cpu), memory),
        limits: list(None, memory_limit),
    }
}
