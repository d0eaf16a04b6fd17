//! `docketctl`, also the kubectl plugin `kubectl docket`: what plain kubectl shows badly of a tenant.
//!
//! Start reading at [`arguments`]: one file, or folder, for each command. A command reads, then a
//! function without any client in sight makes the page, then it is printed. What it changes goes
//! through [`edit`], and what it waits for through [`wait`].

mod adopt;
pub mod arguments;
mod check;
mod cluster;
mod columns;
mod edit;
mod plan;
mod pod_logs;
pub mod problem;
mod rotate;
pub mod screen;
mod since;
mod status;
mod tenant;
mod trace;
mod wait;

use arguments::{Arguments, Command};
use cluster::Cluster;
use problem::Problem;
use screen::Screen;

/// Does what `arguments` ask for, and shows it on `screen`.
///
/// # Errors
/// It could not be done, or the answer is no.
pub async fn run(arguments: Arguments, screen: &mut Screen<'_>) -> Result<(), Problem> {
    let named = &arguments.cluster;
    match arguments.command {
        Command::Status(wanted) => {
            status::status(&Cluster::of(named).await?, &wanted, screen).await
        }
        Command::Plan(wanted) => plan::plan(&Cluster::of(named).await?, &wanted, screen).await,
        Command::Rotate(wanted) => {
            rotate::rotate(&Cluster::of(named).await?, &wanted, screen).await
        }
        Command::Adopt(wanted) => adopt::adopt(&Cluster::of(named).await?, &wanted, screen).await,
        Command::Trace(wanted) => trace::trace(&Cluster::of(named).await?, &wanted, screen).await,
        // With a URL and keys it needs no cluster.
        Command::Check(wanted) => check::check(named, &wanted, screen).await,
    }
}
