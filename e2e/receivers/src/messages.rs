//! What arrived.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// Older messages are only in the log.
const KEPT: usize = 2000;

/// What arrived, the oldest first, each beside its text, which is looked through again and again.
#[derive(Clone, Default)]
pub(crate) struct Messages(Arc<Mutex<VecDeque<(String, Value)>>>);

impl Messages {
    /// Writes down what `to` was sent.
    pub(crate) fn take(&self, to: &str, message: Value) {
        let message = json!({"to": to, "message": message});
        let text = message.to_string();
        // Nobody may be there to read it.
        let _ = writeln!(std::io::stdout(), "{text}");
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((text, message));
    }

    /// Those that have `text` in them.
    pub(crate) fn about(&self, text: &str) -> Vec<Value> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let about = kept.iter().filter(|(whole, _)| whole.contains(text));
        about.map(|(_, message)| message.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_about_one_tenant_reads_of_no_other() {
        let messages = Messages::default();
        for tenant in ["team-a/acme", "team-b/acme"] {
            messages.take("slack", json!({"title": tenant}));
        }
        let about = messages.about("team-b/");
        assert_eq!(
            about,
            [json!({"to": "slack", "message": {"title": "team-b/acme"}})]
        );
        assert_eq!(messages.about("").len(), 2);
    }
}
