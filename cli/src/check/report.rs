//! What the checks found, and how it is written.

mod json;
mod junit;
mod text;

use std::time::Duration;

use clap::ValueEnum;

/// What is checked, by the names of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// The service says that it is well.
    Health,
    /// Documents are taken.
    Upload,
    /// Documents come back, and to nobody else.
    Retrieve,
    /// What is wrong is answered as documented.
    Errors,
    /// How fast it answers.
    Performance,
    /// What was made is put away.
    Cleanup,
}

impl Area {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Upload => "upload",
            Self::Retrieve => "retrieve",
            Self::Errors => "errors",
            Self::Performance => "performance",
            Self::Cleanup => "cleanup",
        }
    }
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds; what was seen, for who wants to know.
    Passed(String),
    /// It does not hold, and why.
    Failed(String),
    /// It could not be looked at, and why.
    Skipped(String),
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub area: Area,
    /// A sentence that is true if it passed.
    pub claim: String,
    pub verdict: Verdict,
    pub took: Duration,
}

/// All checks of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Namespace and name of the tenant.
    pub tenant: String,
    /// How it was reached.
    pub way: String,
    pub checks: Vec<Check>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For CI, as JUnit's XML.
    Junit,
}

impl Report {
    pub(crate) fn failed(&self) -> usize {
        self.count(|it| matches!(it, Verdict::Failed(_)))
    }

    fn count(&self, which: impl Fn(&Verdict) -> bool) -> usize {
        self.checks.iter().filter(|it| which(&it.verdict)).count()
    }

    fn skipped(&self) -> usize {
        self.count(|it| matches!(it, Verdict::Skipped(_)))
    }

    fn took(&self) -> Duration {
        self.checks.iter().map(|it| it.took).sum()
    }

    /// The report as `output` asks; `verbose` tells what was seen where all is well, too.
    pub(crate) fn write(&self, output: Output, verbose: bool) -> String {
        match output {
            Output::Text => text::text(self, verbose),
            Output::Json => json::json(self),
            Output::Junit => junit::junit(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let check = |area, claim: &str, verdict, took| Check {
            area,
            claim: claim.into(),
            verdict,
            took: Duration::from_millis(took),
        };
        Report {
            tenant: "shop/acme".into(),
            way: "http://10.96.0.7".into(),
            checks: vec![
                check(
                    Area::Health,
                    "all components are healthy",
                    Verdict::Passed("data_store, s3".into()),
                    12,
                ),
                check(
                    Area::Upload,
                    "globex stores 3 documents",
                    Verdict::Failed("answered 500 <&> \"x\"".into()),
                    1_204,
                ),
                check(
                    Area::Upload,
                    "the log has a line",
                    Verdict::Skipped("you may not read logs".into()),
                    0,
                ),
            ],
        }
    }

    #[test]
    fn a_report_reads_well_in_each_form() {
        let report = report();
        let forms = [
            report.write(Output::Text, false),
            report.write(Output::Text, true),
            report.write(Output::Json, false),
            report.write(Output::Junit, false),
        ];
        insta::assert_snapshot!(forms.join("\n---\n"));
        assert_eq!((report.failed(), report.skipped()), (1, 1));
    }
}
