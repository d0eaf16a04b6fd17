//! The tenant that is checked: where it is, and its clients with their keys.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use docket_crds::{AuthMode, DocumentTenant, names};
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::Api;

use super::client::Client;
use super::logs::Logs;
use super::way::{Ask, Way};
use crate::arguments::{Check, ClusterArguments};
use crate::cluster::Cluster;
use crate::problem::Problem;
use crate::tenant;

/// A Service that is reachable answers a connection at once.
const CONNECTION: Duration = Duration::from_secs(2);

pub(super) struct Target {
    /// Namespace and name.
    pub tenant: String,
    pub way: Way,
    /// What the way is called.
    pub shown: String,
    pub clients: Vec<Client>,
    /// Why clients' routes cannot be asked.
    pub without_keys: Option<String>,
    pub logs: Option<Logs>,
    /// The cluster whose gateway has spans of the tenant, or why there is none.
    pub spans: Result<kube::Client, &'static str>,
}

/// Clients in their order, each with its key where one is needed.
type Keys = Vec<(String, Option<String>)>;

impl Target {
    /// With a URL and keys no cluster is needed.
    pub(super) async fn of(arguments: &ClusterArguments, wanted: &Check) -> Result<Self, Problem> {
        let http = http(wanted.ca.as_deref(), None)?;
        if let (Some(url), Some(file)) = (&wanted.url, &wanted.keys) {
            let keys = of_file(file)?;
            return Ok(Self::new(
                wanted.name.clone(),
                named(http, url).await?,
                keys,
                wanted,
            ));
        }
        let cluster = Cluster::of(arguments).await?;
        let tenant = tenant::read(&cluster, &wanted.name).await?;
        let way = match &wanted.url {
            Some(url) => named(http, url).await?,
            None => way(&cluster, wanted).await?,
        };
        let auth = &tenant.spec.api.auth;
        let keys = match (auth.mode, &wanted.keys) {
            (AuthMode::Jwt, _) => Vec::new(),
            (AuthMode::None, _) => tenant
                .spec
                .clients
                .iter()
                .map(|it| (it.name.clone(), None))
                .collect(),
            (AuthMode::ApiKey, Some(file)) => of_file(file)?,
            (AuthMode::ApiKey, None) => of_secret(&cluster, &tenant, wanted).await?,
        };
        let mut target = Self::new(cluster.full_name(&wanted.name), way, keys, wanted);
        if auth.mode == AuthMode::Jwt {
            let issuer = auth.jwt.as_ref().map_or("its issuer", |jwt| &jwt.issuer);
            target.without_keys = Some(format!(
                "it takes tokens of {issuer}, and docketctl has none"
            ));
        }
        target.logs = Some(Logs {
            pods: Api::namespaced(cluster.client.clone(), &cluster.namespace),
            tenant: wanted.name.clone(),
        });
        target.spans = match tenant.spec.telemetry.endpoint {
            Some(_) => Ok(cluster.client),
            None => Err("spec.telemetry.endpoint names no place where its spans go"),
        };
        Ok(target)
    }

    fn new(tenant: String, (way, shown): (Way, String), keys: Keys, wanted: &Check) -> Self {
        let clients = keys
            .into_iter()
            .take(wanted.clients)
            .map(|(name, key)| Client {
                way: way.clone(),
                name,
                key,
            });
        Self {
            clients: clients.collect(),
            tenant,
            way,
            shown,
            without_keys: None,
            logs: None,
            spans: Err("no cluster is asked"),
        }
    }
}

/// To a URL that is reachable from here; what it answers is for the checks to judge.
async fn named(http: reqwest::Client, url: &str) -> Result<(Way, String), Problem> {
    let url = url.trim_end_matches('/').to_owned();
    let way = Way::Straight(http, url.clone());
    match way.ask(Ask::get("/livez")).await {
        Ok(_) => Ok((way, url)),
        Err(why) => Err(Problem::could_not_run(format!("{url} cannot be reached: {why}."))
            .advise("Name the API with --url, such as http://127.0.0.1:8000; with TLS its authorities with --ca.")),
    }
}

/// A client that keeps connections, and takes `host` for what is at `address`.
fn http(ca: Option<&Path>, at: Option<(&str, SocketAddr)>) -> Result<reqwest::Client, Problem> {
    let mut builder = reqwest::Client::builder().no_proxy();
    if let Some(file) = ca {
        let unusable = |why: String| {
            Problem::could_not_run(format!("{} cannot be used: {why}.", file.display()))
        };
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem);
        let authorities = authorities.map_err(|error| unusable(error.to_string()))?;
        builder = builder.tls_certs_only(authorities);
    }
    if let Some((host, address)) = at {
        builder = builder.resolve(host, address);
    }
    builder
        .build()
        .map_err(|error| Problem::could_not_run(format!("no HTTP client can be made: {error}.")))
}

/// To the Service's address where that is reachable from here, else through the API server.
async fn way(cluster: &Cluster, wanted: &Check) -> Result<(Way, String), Problem> {
    let name = names::api_name(&wanted.name);
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let service = services.get_opt(&name).await;
    let service = service.map_err(|error| Problem::of_cluster(error, "read Services"))?;
    let spec = service.and_then(|service| service.spec).unwrap_or_default();
    let port = spec
        .ports
        .iter()
        .flatten()
        .find(|port| matches!(port.name.as_deref(), Some("http" | "https")));
    let (Some(port), Some(address)) = (port, &spec.cluster_ip) else {
        return Err(Problem::could_not_run(format!(
            "{} has no Service {name} yet.",
            cluster.full_name(&wanted.name)
        ))
        .advise(format!("See why: kubectl docket status {}", wanted.name)));
    };
    let scheme = port.name.as_deref().unwrap_or("http");
    let at = address
        .parse()
        .ok()
        .map(|address| SocketAddr::new(address, u16::try_from(port.port).unwrap_or(80)));
    if let Some(at) = at.filter(|_| !wanted.through_api_server) {
        let connected = tokio::time::timeout(CONNECTION, tokio::net::TcpStream::connect(at)).await;
        if matches!(connected, Ok(Ok(_))) {
            let host = format!("{name}.{}.svc", cluster.namespace);
            let http = http(wanted.ca.as_deref(), Some((&host, at)))?;
            let url = format!("{scheme}://{host}");
            return Ok((Way::Straight(http, url.clone()), url));
        }
    }
    let path = format!(
        "/api/v1/namespaces/{}/services/{scheme}:{name}:{scheme}/proxy",
        cluster.namespace
    );
    let way = Way::Proxy(cluster.client.clone(), path.clone());
    match way.ask(Ask::get("/livez")).await {
        Ok(answer) if answer.status == 200 => Ok((way, format!("the API server's proxy {path}"))),
        Ok(answer) => Err(unreachable(
            &name,
            &format!("{} {}", answer.status, answer.excerpt()),
        )),
        Err(why) => Err(unreachable(&name, &why)),
    }
}

fn unreachable(service: &str, why: &str) -> Problem {
    Problem::could_not_run(format!(
        "the Service {service} cannot be reached from here, neither at its address nor through the API server: {why}."
    ))
    .advise("Run it on a node or in a pod, or forward a port and name it with --url.")
}

async fn of_secret(
    cluster: &Cluster,
    tenant: &DocumentTenant,
    wanted: &Check,
) -> Result<Keys, Problem> {
    let name = names::api_keys_secret(&wanted.name);
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let secret = secrets.get_opt(&name).await;
    let secret = secret.map_err(|error| {
        Problem::of_cluster(error, "read Secrets, where the API keys are")
            .advise("Or name a file with a line CLIENT=KEY for each with --keys.")
    })?;
    let entries = secret.and_then(|secret| secret.data).unwrap_or_default();
    let keys = tenant.spec.clients.iter().filter_map(|client| {
        let key = entries.get(&client.name)?;
        Some((
            client.name.clone(),
            Some(String::from_utf8(key.0.clone()).ok()?),
        ))
    });
    let keys: Keys = keys.collect();
    match keys.is_empty() {
        false => Ok(keys),
        true => Err(Problem::could_not_run(format!(
            "the Secret {name} has no key of a client yet."
        ))
        .advise(format!("See why: kubectl docket status {}", wanted.name))),
    }
}

fn of_file(file: &Path) -> Result<Keys, Problem> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Problem::could_not_run(format!("{} cannot be read: {error}.", file.display()))
    })?;
    parse(&text).map_err(|why| Problem::could_not_run(format!("{} {why}.", file.display())))
}

/// A line `CLIENT=KEY` each; no message repeats a key.
fn parse(text: &str) -> Result<Keys, String> {
    let mut keys = BTreeMap::new();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let parts = line
            .split_once('=')
            .map(|(name, key)| (name.trim(), key.trim()));
        match parts {
            Some((name, key)) if !name.is_empty() && !key.is_empty() => {
                keys.insert(name.to_owned(), Some(key.to_owned()));
            }
            _ => return Err(format!("has no CLIENT=KEY in line {}", at + 1)),
        }
    }
    match keys.is_empty() {
        true => Err("has no CLIENT=KEY in it".into()),
        false => Ok(keys.into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_keys_has_a_line_for_each_client() {
        let keys = parse("globex = a=b \n\ninitech=c\n").expect("keys");
        let expected = [("globex", "a=b"), ("initech", "c")];
        assert_eq!(
            keys,
            expected.map(|(name, key)| (name.to_owned(), Some(key.to_owned())))
        );
        for wrong in ["globex", "globex=\n", "=key", ""] {
            let why = parse(wrong).expect_err(wrong);
            assert!(!why.contains("key"), "{why}");
        }
    }
}
