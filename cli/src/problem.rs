//! What went wrong, and what to do about it.

use std::fmt;
use std::process::ExitCode;

/// The exit status of a command that did not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ran, and the answer is no.
    No = 1,
    /// It could not run: wrong arguments, no cluster, no such tenant.
    CouldNotRun = 2,
    /// Ctrl-C, as a shell counts it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What went wrong, in a sentence, and what to do about it, in another.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// How the program ends.
    pub exit: Exit,
    what: String,
    advice: Vec<String>,
}

impl Problem {
    /// The answer is no.
    pub(crate) fn no(what: impl Into<String>) -> Self {
        Self::new(Exit::No, what)
    }

    /// Nothing can be asked.
    pub(crate) fn could_not_run(what: impl Into<String>) -> Self {
        Self::new(Exit::CouldNotRun, what)
    }

    /// Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted.")
    }

    fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            advice: Vec::new(),
        }
    }

    /// The same, and what to do.
    #[must_use]
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// What the API server's refusal of `doing` means; `doing` reads on after "may not".
    pub(crate) fn of_cluster(error: kube::Error, doing: &str) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 401 => {
                Self::could_not_run("the API server does not know you.")
                    .advise("Log in again, or name another user with --context.")
            }
            kube::Error::Api(status) if status.is_forbidden() => {
                Self::could_not_run(format!("you may not {doing}: {}.", sentence(&status.message)))
                    .advise("Ask whoever runs the cluster for that right, or name another user with --context.")
            }
            kube::Error::Api(status) if status.is_invalid() => Self::could_not_run(format!(
                "the API server refuses it, and nothing was changed: {}.",
                sentence(&status.message)
            )),
            kube::Error::Api(status) => Self::could_not_run(format!(
                "the API server refuses to {doing}: {}.",
                sentence(&status.message)
            )),
            error => Self::could_not_run(format!("the API server does not answer: {}.", root(&error)))
                .advise("Check that the cluster runs, and that KUBECONFIG or --context names the right one."),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.advice
            .iter()
            .try_for_each(|advice| write!(f, "\n{advice}"))
    }
}

impl std::error::Error for Problem {}

fn sentence(message: &str) -> &str {
    message.trim().trim_end_matches('.')
}

/// The first cause: what is around it repeats it.
pub(crate) fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    sentence(&cause.to_string()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    #[test]
    fn a_refusal_says_what_was_not_allowed_and_what_to_do() {
        let told = |code: u16, reason: &str| {
            let status = Status::failure("it is so", reason).with_code(code).boxed();
            let problem = Problem::of_cluster(kube::Error::Api(status), "read Secrets");
            format!("{} {problem}", problem.exit as u8)
        };
        insta::assert_snapshot!(
            [
                told(401, "Unauthorized"),
                told(403, "Forbidden"),
                told(422, "Invalid"),
                told(500, "InternalError"),
            ]
            .join("\n---\n")
        );
    }
}
