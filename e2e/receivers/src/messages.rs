//! What arrived.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// Older messages are only in the log.
const KEPT: usize = 2000;

/// What arrived, the oldest first.
#[derive(Clone, Default)]
pub(crate) struct Messages(Arc<Mutex<VecDeque<Value>>>);

impl Messages {
    /// Writes down what `to` was sent.
    pub(crate) fn take(&self, to: &str, message: Value) {
        let message = json!({"to": to, "message": message});
        // Nobody may be there to read it.
        let _ = writeln!(std::io::stdout(), "{message}");
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(message);
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}
