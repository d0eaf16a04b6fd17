//! `check`: a tenant, tried out as its clients' applications would, and left as it was.

mod client;
mod content;
mod errors;
mod exposition;
mod health;
mod logs;
mod performance;
pub(crate) mod report;
mod retrieve;
mod spans;
mod target;
mod upload;
mod way;

use std::time::Instant;

use self::client::{Client, Stored};
use self::report::{Area, Report, Verdict};
use self::target::Target;
use crate::arguments::{Check, ClusterArguments};
use crate::problem::Problem;
use crate::screen::Screen;
use crate::trace::gateway::Gateway;

/// What a check comes to; an error is a sentence that says what did not hold.
type Seen = Result<Verdict, String>;

fn passed(seen: impl Into<String>) -> Seen {
    Ok(Verdict::Passed(seen.into()))
}

pub(crate) async fn check(
    cluster: &ClusterArguments,
    wanted: &Check,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let target = Target::of(cluster, wanted).await?;
    let mut run = Run::new(&target, wanted, screen);
    // Whatever was stored by then is put away, also after Ctrl-C.
    let interrupted = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => true,
        () = run.all() => false,
    };
    run.put_away().await;
    let Run { report, screen, .. } = run;
    screen.page(&report.write(wanted.output, wanted.verbose));
    match (interrupted, report.failed()) {
        (true, _) => Err(Problem::interrupted()),
        (false, 0) => Ok(()),
        (false, 1) => Err(Problem::no("1 check failed.")),
        (false, failed) => Err(Problem::no(format!("{failed} checks failed."))),
    }
}

struct Run<'a, 's> {
    target: &'a Target,
    wanted: &'a Check,
    screen: &'a mut Screen<'s>,
    report: Report,
    start: Instant,
    /// Part of the names of all documents of this run; nothing that looks like a person's number.
    seed: String,
    stored: Vec<(Client, Vec<Stored>)>,
    /// Whether there may be anything to put away.
    stores: bool,
}

impl<'a, 's> Run<'a, 's> {
    fn new(target: &'a Target, wanted: &'a Check, screen: &'a mut Screen<'s>) -> Self {
        Self {
            target,
            wanted,
            screen,
            report: Report {
                tenant: target.tenant.clone(),
                way: target.shown.clone(),
                checks: Vec::new(),
            },
            start: Instant::now(),
            seed: format!(
                "docketctl-check-r{:x}p{:x}",
                rand::random::<u32>(),
                rand::random::<u16>()
            ),
            stored: Vec::new(),
            stores: false,
        }
    }

    async fn all(&mut self) {
        if self.wanted.takes(Area::Health) {
            self.health().await;
        }
        let others = [
            Area::Upload,
            Area::Retrieve,
            Area::Errors,
            Area::Performance,
        ];
        let others: Vec<Area> = others
            .into_iter()
            .filter(|it| self.wanted.takes(*it))
            .collect();
        if let Some(why) = &self.target.without_keys {
            for area in others {
                let skipped = async { Ok(Verdict::Skipped(why.clone())) };
                self.check(area, "clients' routes are asked", skipped).await;
            }
            return;
        }
        if others.iter().any(|area| *area != Area::Errors) {
            self.upload().await;
        }
        if self.wanted.takes(Area::Retrieve) {
            self.retrieve().await;
        }
        if self.wanted.takes(Area::Errors) {
            self.errors().await;
        }
        if self.wanted.takes(Area::Performance) {
            self.performance().await;
        }
    }

    /// Runs one check and notes what became of it.
    async fn check(&mut self, area: Area, claim: &str, work: impl Future<Output = Seen>) -> bool {
        self.screen
            .progress(&format!("{}: {claim}", area.name()), self.start.elapsed());
        let start = Instant::now();
        let verdict = work.await.unwrap_or_else(Verdict::Failed);
        let failed = matches!(verdict, Verdict::Failed(_));
        self.report.checks.push(report::Check {
            area,
            claim: claim.to_owned(),
            verdict,
            took: start.elapsed(),
        });
        !failed
    }

    async fn health(&mut self) {
        let (area, way) = (Area::Health, &self.target.way);
        self.check(area, "every component is healthy", health::components(way))
            .await;
        self.check(
            area,
            "it is alive and ready for requests",
            health::probes(way),
        )
        .await;
        self.measured(
            area,
            &[
                "health_check_total",
                "health_check_duration_seconds",
                "http_requests_total",
            ],
        )
        .await;
    }

    async fn upload(&mut self) {
        let (target, seed, files) = (self.target, self.seed.clone(), self.wanted.files);
        self.stores = true;
        for client in &target.clients {
            let claim = match files {
                1 => format!("{} stores a document", client.name),
                files => format!("{} stores {files} documents", client.name),
            };
            let mut stored = Vec::new();
            let work = upload::store(client, &seed, files, &mut stored);
            self.check(Area::Upload, &claim, work).await;
            self.stored.push((client.clone(), stored));
        }
        let first = self
            .stored
            .iter()
            .flat_map(|(_, stored)| stored)
            .next()
            .cloned();
        if let Some(stored) = first {
            let work = logs::line(target.logs.as_ref(), &stored);
            self.check(
                Area::Upload,
                "an upload's correlation id finds its log line and its trace",
                work,
            )
            .await;
            let gateway = match &target.spans {
                Ok(client) => Ok(Gateway::new(client, &self.wanted.gateway)),
                Err(why) => Err(*why),
            };
            let work = spans::recorded(gateway, &stored);
            self.check(
                Area::Upload,
                "its spans are at the gateway, down to the SQL statement",
                work,
            )
            .await;
        }
        let names = [
            "database_operations_total",
            "database_operation_duration_seconds",
            "database_connection_pool",
        ];
        self.measured(Area::Upload, &names).await;
    }

    async fn retrieve(&mut self) {
        let (area, target, seed) = (Area::Retrieve, self.target, self.seed.clone());
        let all = self.stored.clone();
        for (client, stored) in &all {
            let claim = format!("{} reads its documents back, byte by byte", client.name);
            self.check(area, &claim, retrieve::read_back(client, stored))
                .await;
            let claim = format!("{} finds its documents in the list", client.name);
            self.check(area, &claim, retrieve::listed(client, &seed, stored))
                .await;
        }
        for (client, stored) in &all {
            for other in target.clients.iter().filter(|it| it.name != client.name) {
                let claim = format!("{} is shut out from what is {}'s", other.name, client.name);
                self.check(area, &claim, retrieve::shut_out(other, client, stored))
                    .await;
            }
        }
    }

    async fn errors(&mut self) {
        let target = self.target;
        let Some(client) = target.clients.first() else {
            return;
        };
        for wrong in errors::all(client, &self.seed) {
            let claim = wrong.claim.clone();
            self.check(Area::Errors, &claim, errors::answered(client, wrong))
                .await;
        }
        self.check(
            Area::Errors,
            "every answer names its request",
            errors::correlated(client),
        )
        .await;
        self.measured(Area::Errors, &["http_errors_total"]).await;
    }

    async fn performance(&mut self) {
        let factor = self.wanted.load_factor;
        let claim = format!(
            "{} requests, {} at a time, are all answered",
            performance::requests(factor),
            performance::parallel(factor)
        );
        let (stored, seed) = (self.stored.clone(), self.seed.clone());
        let work = performance::measure(&stored, &seed, factor);
        self.check(Area::Performance, &claim, work).await;
        self.measured(Area::Performance, &["http_request_duration_seconds"])
            .await;
    }

    /// Metrics by the names of docs/telemetry.md, once what they measure has happened.
    async fn measured(&mut self, area: Area, names: &[&str]) {
        let claim = format!("it measures {}", names.join(", "));
        self.check(area, &claim, health::metrics(&self.target.way, names))
            .await;
    }

    /// By their names, so that those are found too whose answers were lost.
    async fn put_away(&mut self) {
        let (target, seed) = (self.target, self.seed.clone());
        let clients = if self.stores {
            target.clients.as_slice()
        } else {
            &[]
        };
        for client in clients {
            let claim = format!("{}'s documents of this run are in the trash", client.name);
            let work = async {
                let count = client.put_away(&seed).await?;
                passed(format!("{count} documents"))
            };
            self.check(Area::Cleanup, &claim, work).await;
        }
    }
}
