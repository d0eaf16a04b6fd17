//! The last reconcile that changed something, as a tree of its phases.

use docket_crds::ReconcileStatus;
use jiff::Timestamp;

use crate::since::between;

pub(super) fn tree(reconcile: &ReconcileStatus, now: Timestamp) -> String {
    let trace = match reconcile.trace_id.is_empty() {
        true => "not traced".to_owned(),
        false => format!("trace {}", reconcile.trace_id),
    };
    let head = format!(
        "{} ago, generation {}, {trace}",
        between(reconcile.started_at.0, now),
        reconcile.generation
    );
    let last = reconcile.spans.len().saturating_sub(1);
    let phases = reconcile.spans.iter().enumerate().map(|(at, span)| {
        let branch = if at == last { "└─" } else { "├─" };
        (format!("{branch} {}", span.name), &span.duration)
    });
    let lines: Vec<(String, &String)> =
        std::iter::once(("reconcile".to_owned(), &reconcile.duration))
            .chain(phases)
            .collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let names = width(&mut lines.iter().map(|(name, _)| name.chars().count()));
    let times = width(&mut lines.iter().map(|(_, time)| time.chars().count()));
    let lines: String = lines
        .iter()
        .map(|(name, time)| format!("  {name:names$}  {time:>times$}\n"))
        .collect();
    format!("  {head}\n{lines}")
}
