//! Who a user agent says that it is: a reader's browser, a program, or one that shows a link's preview.
//!
//! The lists are those of `crawler-user-agents`; see `agents/README.md`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{RegexSet, RegexSetBuilder};

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agent {
    /// A person, as far as can be told.
    Reader,
    /// A program, or one that does not say what it is.
    Bot,
    /// What shows or checks a link that somebody sends: chats, mail.
    Preview,
}

/// What is looked for in a user agent.
struct Patterns {
    texts: AhoCorasick,
    expressions: RegexSet,
}

impl Patterns {
    fn new(texts: &str, expressions: &str) -> Self {
        let expressions = RegexSetBuilder::new(expressions.lines())
            .unicode(false)
            .build();
        Self {
            texts: AhoCorasick::new(texts.lines()).expect("a test builds the lists"),
            expressions: expressions.expect("a test builds the lists"),
        }
    }

    fn are_in(&self, agent: &[u8]) -> bool {
        self.texts.is_match(agent) || self.expressions.is_match(agent)
    }
}

static BOTS: LazyLock<Patterns> = LazyLock::new(|| {
    Patterns::new(
        include_str!("agents/bots.txt"),
        include_str!("agents/bots.regex"),
    )
});
static PREVIEWS: LazyLock<Patterns> = LazyLock::new(|| {
    Patterns::new(
        include_str!("agents/previews.txt"),
        include_str!("agents/previews.regex"),
    )
});

impl Agent {
    /// By the header `User-Agent` of a request; every browser sends one.
    pub(crate) fn of(agent: &[u8]) -> Self {
        if agent.is_empty() {
            Self::Bot
        } else if PREVIEWS.are_in(agent) {
            Self::Preview
        } else if BOTS.are_in(agent) {
            Self::Bot
        } else {
            Self::Reader
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_read_and_programs_do_not() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/138.0.0.0 Safari/537.36";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0";
        let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        let headless = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                        HeadlessChrome/138.0.0.0 Safari/537.36";
        let slack = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)";
        for (agent, expected) in [
            (firefox, Agent::Reader),
            (safari, Agent::Reader),
            (chrome, Agent::Reader),
            (edge, Agent::Reader),
            (google, Agent::Bot),
            (headless, Agent::Bot),
            ("curl/8.5.0", Agent::Bot),
            ("", Agent::Bot),
            (slack, Agent::Preview),
            ("WhatsApp/2.23.20.0", Agent::Preview),
            ("facebookexternalhit/1.1", Agent::Preview),
        ] {
            assert_eq!(Agent::of(agent.as_bytes()), expected, "{agent}");
        }
    }
}
