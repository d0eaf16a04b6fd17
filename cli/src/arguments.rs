//! What the program is told on its command line; its help is where people learn it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    /// Without --logins or --api-keys it does both. Logins are what the API server's pods reach Postgres
    /// with: they get new ones and are replaced one by one; no request fails. API keys are what the
    /// clients' applications send: the new key is in the Secret <tenant>-api-keys under the client's name
    /// once every pod knows it, and the one before stays valid as <client>.previous until the next
    /// rotation. A key that was `previous` already opens nothing any more.
    Rotate(Rotate),
    /// Takes over the documents that were retained under a client's name.
    ///
    /// Adds the client to the spec if it is not there, sets adopt: true on it, and first asks the operator
    /// for a plan: where it finds nothing to adopt, all is put back as it was, and you are told why.
    Adopt(Adopt),
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
  kubectl docket rotate acme --wait        logins and API keys, and waits for the end
  kubectl docket rotate acme --logins      what nobody outside notices
  kubectl docket rotate acme --api-keys    applications have to read the new key")]
pub struct Rotate {
    /// Name of the tenant.
    pub name: String,
    /// Rotates the logins to the database.
    #[arg(long)]
    pub logins: bool,
    /// Rotates the API keys.
    #[arg(long)]
    pub api_keys: bool,
    /// Waits until the old logins are gone and the new keys handed out.
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

/// How long to wait.
#[derive(Clone, Copy, Debug, Args)]
pub struct Patience {
    /// Seconds to wait at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

impl Patience {
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.timeout)
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
    fn help_teaches_with_examples() {
        let pages = ["", "status", "plan", "rotate", "adopt"].map(|command| {
            let help = read(&format!("x {command} --help")).expect_err("help");
            format!("$ docketctl {command} --help\n{help}")
        });
        insta::assert_snapshot!(pages.join("\n"));
    }
}
