//! What the program is told on its command line; its help is where people learn it.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::check::report::{Area, Output};
use crate::trace::{self, id::Id};

const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    it ran, and the answer is no: a plan cannot be made, a wait took too long
  2    it could not run: wrong arguments, no cluster, no such tenant
  130  Ctrl-C";

/// Shows and changes DocumentTenants: what plain kubectl shows badly.
#[derive(Debug, Parser)]
#[command(name = "docketctl", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Arguments {
    /// The cluster and the namespace.
    #[command(flatten)]
    pub cluster: ClusterArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The cluster and the namespace, named as for kubectl.
#[derive(Debug, Default, Args)]
pub struct ClusterArguments {
    /// Namespace of the tenant; by default that of the context.
    #[arg(short, long, global = true, help_heading = "Cluster")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig; by default the current one.
    #[arg(long, global = true, help_heading = "Cluster")]
    pub context: Option<String>,
    /// File that names clusters and users; by default KUBECONFIG, or ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tells how a tenant is, and how it came to be so.
    ///
    /// Conditions with what to do, the clients with their schemas, when credentials were and will be
    /// rotated, the last reconcile that changed something with its phases and its trace, and the Events
    /// in their order. Without a name: one line for each tenant.
    Status(Status),
    /// Tells what a change of the spec would change, before it does.
    ///
    /// While the operator plans, the tenant has the annotation docket.dev/plan and holds still: nothing
    /// is changed, and nothing repaired. With -f the tenant gets the spec of that file meanwhile; the
    /// spec before is kept in the annotation docket.dev/spec-before-plan. Then you are asked. Where nobody
    /// can be asked, or if you say no, all is put back as it was.
    Plan(Plan),
    /// Makes credentials anew while old and new ones overlap.
    ///
    /// Without a choice it does logins and API keys. Logins are what the API server's pods reach Postgres
    /// with: they get new ones and are replaced one by one; no request fails. API keys are what the
    /// clients' applications send: the new key is in the Secret <tenant>-api-keys under the client's name
    /// once every pod knows it, and the one before stays valid as <client>.previous until the next
    /// rotation. A key that was `previous` already opens nothing any more. Signing keys are those of a
    /// tenant with spec.api.auth.issuer: the new one is published before it signs, and the one before
    /// for a day after it did.
    Rotate(Rotate),
    /// Takes over the data that was retained under a client's name.
    ///
    /// Adds the client to the spec if it is not there, sets adopt: true on it, and first asks the operator
    /// for a plan: where it finds nothing to adopt, all is put back as it was, and you are told why.
    Adopt(Adopt),
    /// Tries a tenant out as its clients' applications would, and leaves it as it was.
    ///
    /// It stores documents, reads them back byte by byte, looks whether one client's key opens another's
    /// documents, asks for what is wrong on purpose, and measures how fast it answers. It follows a
    /// correlation id from an answer to the log line and to the spans with their SQL, and looks for the
    /// metrics by their names. The documents of the run end in the trash. It reaches the tenant at its
    /// Service's address, or through the API server's proxy where that is not reachable from here, or at
    /// --url.
    Check(Check),
    /// Goes from the X-Request-ID of an answer to all that it caused.
    ///
    /// Shows the line of the request, its spans as a tree with their times, its log and its SQL. The line
    /// comes from the logs of the tenant's pods, spans from the files that a gateway collector keeps,
    /// such as that of charts/docket-dev; log lines from both. A trace id, or a whole traceparent, does as
    /// well: also that of a reconcile, which the status and the Events name.
    Trace(Trace),
}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl docket status              the tenants of this namespace, a line each
  kubectl docket status -A           those of all namespaces
  kubectl docket status acme -n acme the whole story of one")]
pub struct Status {
    /// Name of the tenant.
    #[arg(conflicts_with = "all_namespaces")]
    pub name: Option<String>,
    /// Lists the tenants of all namespaces.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl docket plan acme -f acme.yaml          shows what it would change, and asks
  kubectl docket plan acme -f acme.yaml --apply  shows it, and carries it out
  kubectl docket plan acme -f acme.yaml --keep   leaves it planned, for others to look at
  kubectl docket plan acme --apply               carries out what was kept
  kubectl docket plan acme --discard             puts the spec before back
  kubectl docket plan acme                       what would be changed for the spec as it is

Of the file only the spec is taken: labels and annotations stay as they are.")]
pub struct Plan {
    /// Name of the tenant.
    pub name: String,
    /// Manifest with the new spec; - reads standard input.
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Carries the plan out once it was shown.
    #[arg(long, group = "end")]
    pub apply: bool,
    /// Leaves the tenant planned: it holds still until --apply or --discard.
    #[arg(long, group = "end")]
    pub keep: bool,
    /// Puts the spec before the plan back.
    #[arg(long, group = "end", conflicts_with = "file")]
    pub discard: bool,
    /// How long to wait.
    #[command(flatten)]
    pub patience: Patience,
}

/// Arguments of `rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl docket rotate acme --wait          logins and API keys, and waits for the end
  kubectl docket rotate acme --logins        what nobody outside notices
  kubectl docket rotate acme --api-keys      applications have to read the new key
  kubectl docket rotate acme --signing-keys  tokens that are out stay good
  kubectl docket rotate acme --revoke        a login to the database is in wrong hands")]
pub struct Rotate {
    /// Name of the tenant.
    pub name: String,
    /// Rotates the logins to the database.
    #[arg(long)]
    pub logins: bool,
    /// Rotates the API keys.
    #[arg(long)]
    pub api_keys: bool,
    /// Rotates the key that signs the tenant's own tokens.
    #[arg(long)]
    pub signing_keys: bool,
    /// Ends the logins that there are at once, with their sessions: one may be in wrong hands. Requests fail until
    /// pods with the new ones have come.
    #[arg(long)]
    pub revoke: bool,
    /// Waits until the old logins are gone, the new API keys handed out, and a new signing key made: it
    /// signs minutes later.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait.
    #[command(flatten)]
    pub patience: Patience,
}

/// Arguments of `adopt`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  kubectl docket adopt acme globex   what globex stored before it, or the tenant, was removed")]
pub struct Adopt {
    /// Name of the tenant.
    pub name: String,
    /// Name of the client.
    pub client: String,
    /// How long to wait.
    #[command(flatten)]
    pub patience: Patience,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl docket check acme -n acme --all                everything
  kubectl docket check acme --upload --clients 5 --files 3
  kubectl docket check acme --performance --load-factor 3
  kubectl docket check acme --output junit > check.xml   for CI
  docketctl check acme --url http://127.0.0.1:8000 --keys keys.txt   with no cluster

Exit status:
  0    all checks passed
  1    a check failed
  2    it could not run: no cluster, no such tenant, nothing that answers
  130  Ctrl-C; what was stored by then is in the trash")]
pub struct Check {
    /// Name of the tenant.
    pub name: String,
    /// Checks everything, as it does without any of these.
    #[arg(long, help_heading = "Checks")]
    pub all: bool,
    /// What the service says of itself and its components.
    #[arg(long, help_heading = "Checks")]
    pub health: bool,
    /// Documents are stored; correlation ids are found in the log and on spans; the database is measured.
    #[arg(long, help_heading = "Checks")]
    pub upload: bool,
    /// Documents are read back and listed; other clients are shut out.
    #[arg(long, help_heading = "Checks")]
    pub retrieve: bool,
    /// What is wrong is answered as documented, and measured.
    #[arg(long, help_heading = "Checks")]
    pub errors: bool,
    /// Requests a second and percentiles, a bounded number at a time.
    #[arg(long, help_heading = "Checks")]
    pub performance: bool,
    /// Clients to take, from the first of the spec on.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    pub clients: usize,
    /// Documents that each client stores.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    pub files: usize,
    /// So many times 400 requests, and 8 at a time (64 at most).
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    pub load_factor: usize,
    /// Tells what was seen where all is well, too.
    #[arg(short, long)]
    pub verbose: bool,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
    /// URL of the API; by default the tenant's Service.
    #[arg(long)]
    pub url: Option<String>,
    /// Goes through the API server's proxy, also where the Service's address is reachable from here.
    #[arg(long, conflicts_with = "url")]
    pub through_api_server: bool,
    /// File with a line CLIENT=KEY for each client; by default the Secret <tenant>-api-keys.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Authorities of the API's certificate, as PEM; by default those that everybody trusts.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Where spans are kept.
    #[command(flatten)]
    pub gateway: GatewayArguments,
}

/// Arguments of `trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl docket trace cfaf70b4-f739-4281-aa67-60860b2d91d0 -n acme
  kubectl docket trace 8763cb4063ab280e0d4ec15954feba6f acme -n acme
  kubectl docket trace $(kubectl get dt acme -o jsonpath={.status.reconcile.traceId})
  kubectl docket trace order-12 --gateway monitoring/otel --gateway-container shell

To read the gateway's files it runs grep in a container of its pod: that needs the right to create
pods/exec there. Without it, or without such a gateway, there is the log alone.

Exit status:
  0    something was found
  1    nothing is known of the id
  2    it could not run: no cluster, no such tenant
  130  Ctrl-C")]
pub struct Trace {
    /// X-Request-ID of an answer, a trace id, or a traceparent.
    #[arg(value_parser = Id::read)]
    pub id: Id,
    /// Name of the tenant; by default all of the namespace.
    pub name: Option<String>,
    /// How it is written.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: trace::Output,
    /// Time to wait for what may be on its way.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration(0..=600))]
    pub wait: Duration,
    /// Where spans are kept.
    #[command(flatten)]
    pub gateway: GatewayArguments,
}

/// Where spans are kept: files of OTLP's JSON, as the collector's file exporter writes them.
#[derive(Debug, Args)]
pub struct GatewayArguments {
    /// Deployment of the gateway collector.
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        default_value = "docket-dev/gateway",
        help_heading = "Gateway"
    )]
    pub gateway: Gateway,
    /// Container of its pod that sees the files and has grep.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "reader",
        help_heading = "Gateway"
    )]
    pub gateway_container: String,
    /// Folder with the files.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/data",
        help_heading = "Gateway"
    )]
    pub gateway_folder: String,
}

/// A Deployment and its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub deployment: String,
}

impl FromStr for Gateway {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, deployment)) if !namespace.is_empty() && !deployment.is_empty() => {
                Ok(Self {
                    namespace: namespace.into(),
                    deployment: deployment.into(),
                })
            }
            _ => Err("a gateway is a NAMESPACE/NAME, such as docket-dev/gateway"),
        }
    }
}

impl Check {
    /// Whether `area` is to be checked; all are where none is named.
    pub(crate) fn takes(&self, area: Area) -> bool {
        let named = [
            (Area::Health, self.health),
            (Area::Upload, self.upload),
            (Area::Retrieve, self.retrieve),
            (Area::Errors, self.errors),
            (Area::Performance, self.performance),
        ];
        let none = named.iter().all(|(_, named)| !named);
        self.all || none || named.contains(&(area, true))
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug, Args)]
pub struct Patience {
    /// Time to wait at most.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration(1..=86_400))]
    timeout: Duration,
}

impl Patience {
    pub(crate) fn duration(self) -> Duration {
        self.timeout
    }
}

/// A duration such as `10s`, of so many seconds.
fn duration(bounds: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| match humantime::parse_duration(text) {
        Ok(time) if bounds.contains(&time.as_secs()) => Ok(time),
        Ok(_) => Err(format!(
            "it is from {}s to {}s",
            bounds.start(),
            bounds.end()
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// What the program is called, from the path that it was started by.
#[must_use]
pub fn program_name(path: Option<OsString>) -> &'static str {
    let path = path.unwrap_or_default();
    match Path::new(&path).file_name().and_then(|name| name.to_str()) {
        Some("kubectl-docket") => "kubectl docket",
        _ => "docketctl",
    }
}

impl Arguments {
    /// Reads the command line `words` of the program `name`.
    ///
    /// # Errors
    /// They cannot be understood, or ask for help; the error prints itself.
    pub fn read(
        name: &'static str,
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let matches = Self::command().bin_name(name).try_get_matches_from(words)?;
        Self::from_arg_matches(&matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::read("docketctl", line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_name_is_that_of_the_plugin_where_kubectl_starts_it() {
        for (path, name) in [
            (Some("/usr/bin/kubectl-docket"), "kubectl docket"),
            (Some("docketctl"), "docketctl"),
            (None, "docketctl"),
        ] {
            assert_eq!(program_name(path.map(Into::into)), name);
        }
        let help = Arguments::read("kubectl docket", ["x".into(), "plan".into(), "-h".into()]);
        let help = help.expect_err("help").to_string();
        assert!(help.contains("Usage: kubectl docket plan"), "{help}");
    }

    #[test]
    fn a_plan_has_one_end_and_a_discard_no_file() {
        for wrong in ["--apply --keep", "--apply --discard", "--discard -f a.yaml"] {
            assert!(read(&format!("x plan acme {wrong}")).is_err(), "{wrong}");
        }
        assert!(read("x plan acme -f a.yaml --apply -n shop").is_ok());
    }

    #[test]
    fn a_trace_needs_an_id_and_a_gateway_its_namespace() {
        for wrong in [
            "",
            "a$b",
            "id --gateway gateway",
            "id --gateway /gateway",
            "id a b",
        ] {
            assert!(read(&format!("x trace {wrong}")).is_err(), "{wrong}");
        }
        assert!(read("x trace id acme -n shop --gateway a/b -o json").is_ok());
    }

    #[test]
    fn help_teaches_with_examples() {
        let pages = ["", "status", "plan", "rotate", "adopt", "check", "trace"].map(|command| {
            let help = read(&format!("x {command} --help")).expect_err("help");
            format!("$ docketctl {command} --help\n{help}")
        });
        insta::assert_snapshot!(pages.join("\n"));
    }
}
