//! What a document is about, in a few sentences.

mod extractive;
mod metrics;
mod openai;
mod sentences;
mod standing;

use docket_contract::Summarizer as Config;

pub(crate) use openai::OpenAi;
pub(crate) use standing::Standing;

use super::TextState;

/// Makes summaries as the tenant wants them.
#[derive(Debug)]
pub(crate) enum Summarizer {
    /// Of the text's own sentences.
    Extractive,
    /// By a language model, in the background.
    OpenAi(Box<OpenAi>),
    /// Not at all.
    None,
}

/// What comes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Summary {
    /// There is one, or there is none to be had.
    Done(Option<String>),
    /// It has to be asked for (again).
    Later,
}

impl Summary {
    /// Where a document with this summary is on its way.
    pub(crate) fn state(&self) -> TextState {
        match self {
            Self::Done(_) => TextState::Indexed,
            Self::Later => TextState::Pending,
        }
    }

    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Done(text) => text,
            Self::Later => None,
        }
    }
}

impl Summarizer {
    /// # Errors
    /// When the settings of a language model make no sense.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(match config {
            Config::Extractive => Self::Extractive,
            Config::OpenAI(openai) => Self::OpenAi(Box::new(OpenAi::new(openai)?)),
            Config::None => Self::None,
        })
    }

    /// What can be had at once, during an upload.
    pub(crate) fn at_once(&self, text: &str) -> Summary {
        match self {
            Self::Extractive => Summary::Done(
                tracing::info_span!("llm_summarization", mode = "Extractive")
                    .in_scope(|| extractive::summarize(text)),
            ),
            Self::OpenAi(_) if text.contains(char::is_alphanumeric) => Summary::Later,
            Self::OpenAi(_) | Self::None => Summary::Done(None),
        }
    }

    /// What can be had in the background. When a language model failed for the `last` time, the text's
    /// own sentences have to do.
    pub(crate) async fn summarize(&self, text: &str, last: bool) -> Summary {
        let Self::OpenAi(openai) = self else {
            return self.at_once(text);
        };
        match openai.summarize(text).await {
            Ok(summary) => Summary::Done(Some(summary)),
            Err(_) if last => Summary::Done(extractive::summarize(text)),
            Err(_) => Summary::Later,
        }
    }

    /// How the calls went lately; `None` when nobody is called.
    pub(crate) fn standing(&self) -> Option<&Standing> {
        match self {
            Self::OpenAi(openai) => Some(&openai.standing),
            Self::Extractive | Self::None => None,
        }
    }
}
