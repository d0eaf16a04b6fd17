//! The spans of a trace as a tree, whatever of it arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::span::Span;

/// Deeper branches are drawn like this one: a page has an end to its right.
const DEEPEST: usize = 24;

/// A span in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub span: &'a Span,
    /// Spans around it.
    pub depth: usize,
    /// What is drawn before its name.
    pub branch: String,
    /// Its parent is named, and not here: the caller's, or lost.
    pub is_orphan: bool,
}

/// A span that is yet to be placed.
struct Next<'a> {
    span: &'a Span,
    depth: usize,
    /// What is drawn before its parent's children.
    before: String,
    is_last: bool,
}

/// Each span once, below its parent, siblings by their start. What came twice is shown as it ended
/// last; spans that are each other's parents begin with the first of them.
pub(super) fn tree(spans: &[Span]) -> Vec<Row<'_>> {
    let mut by_id: BTreeMap<&str, &Span> = BTreeMap::new();
    for span in spans {
        let known = by_id.entry(&span.id).or_insert(span);
        let order = |it: &Span| (it.end, it.start, it.parent.clone());
        if order(span) > order(known) {
            *known = span;
        }
    }
    let mut sorted: Vec<&Span> = by_id.values().copied().collect();
    sorted.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    let mut children: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in &sorted {
        children.entry(&span.parent).or_default().push(span);
    }
    let (roots, others): (Vec<&Span>, Vec<&Span>) = sorted
        .into_iter()
        .partition(|span| !by_id.contains_key(&*span.parent));
    let mut rows = Vec::with_capacity(by_id.len());
    let mut placed = BTreeSet::new();
    for root in roots.into_iter().chain(others) {
        place(root, &children, &by_id, &mut placed, &mut rows);
    }
    rows
}

fn place<'a>(
    root: &'a Span,
    children: &BTreeMap<&str, Vec<&'a Span>>,
    by_id: &BTreeMap<&str, &'a Span>,
    placed: &mut BTreeSet<&'a str>,
    rows: &mut Vec<Row<'a>>,
) {
    let mut waiting = vec![Next {
        span: root,
        depth: 0,
        before: String::new(),
        is_last: true,
    }];
    while let Some(next) = waiting.pop() {
        let Next {
            span,
            depth,
            before,
            is_last,
        } = next;
        if !placed.insert(&*span.id) {
            continue;
        }
        let (branch, below) = match depth {
            0 => (String::new(), String::new()),
            DEEPEST.. => (format!("{before}└─ "), before),
            _ if is_last => (format!("{before}└─ "), format!("{before}   ")),
            _ => (format!("{before}├─ "), format!("{before}│  ")),
        };
        rows.push(Row {
            span,
            depth,
            branch,
            is_orphan: depth == 0 && !span.parent.is_empty() && !by_id.contains_key(&*span.parent),
        });
        let below_it = children.get(&*span.id).into_iter().flatten();
        let below_it: Vec<&&Span> = below_it.filter(|it| !placed.contains(&*it.id)).collect();
        let last = below_it.len().saturating_sub(1);
        for (at, child) in below_it.into_iter().enumerate().rev() {
            waiting.push(Next {
                span: child,
                depth: depth + 1,
                before: below.clone(),
                is_last: at == last,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn span(id: &str, parent: &str, start: i128, end: i128) -> Span {
        let time = |at| Timestamp::from_nanosecond(at).expect("a time");
        Span {
            trace: "t".into(),
            id: id.into(),
            parent: parent.into(),
            service: "s".into(),
            name: format!("span {id}"),
            start: time(start),
            end: time(end),
            error: None,
            attributes: BTreeMap::new(),
        }
    }

    fn drawn(spans: &[Span]) -> Vec<String> {
        let rows = tree(spans);
        rows.iter()
            .map(|row| {
                format!(
                    "{}{}{}",
                    row.branch,
                    row.span.id,
                    if row.is_orphan { " orphan" } else { "" }
                )
            })
            .collect()
    }

    #[test]
    fn spans_stand_below_their_parents_in_the_order_of_their_start() {
        let spans = [
            span("d", "b", 3, 4),
            span("c", "a", 5, 6),
            span("a", "", 0, 9),
            span("e", "b", 2, 3),
            span("b", "a", 1, 5),
        ];
        assert_eq!(drawn(&spans), ["a", "├─ b", "│  ├─ e", "│  └─ d", "└─ c"]);
    }

    #[test]
    fn a_span_whose_parent_is_not_here_stands_for_itself() {
        let spans = [
            span("b", "a", 1, 2),
            span("c", "b", 1, 2),
            span("z", "", 5, 6),
        ];
        assert_eq!(drawn(&spans), ["b orphan", "└─ c", "z"]);
    }

    #[test]
    fn spans_in_a_circle_and_a_span_below_itself_are_shown_once() {
        let spans = [
            span("b", "a", 1, 2),
            span("a", "b", 0, 2),
            span("c", "c", 3, 4),
        ];
        assert_eq!(drawn(&spans), ["a", "└─ b", "c"]);
    }

    #[test]
    fn of_a_span_that_came_twice_the_one_that_ended_last_is_shown() {
        let spans = [
            span("a", "", 0, 9),
            span("b", "a", 1, 2),
            span("b", "a", 1, 7),
            span("b", "a", 1, 3),
        ];
        let rows = tree(&spans);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].span.end.as_nanosecond(), 7);
    }

    #[test]
    fn a_chain_of_any_depth_is_drawn_within_a_bound() {
        let spans: Vec<Span> = (0..20_000)
            .map(|at| span(&format!("{at:05}"), &format!("{:05}", at - 1), at, at + 1))
            .collect();
        let rows = tree(&spans);
        assert_eq!(rows.last().map(|row| row.depth), Some(19_999));
        assert!(
            rows.iter()
                .all(|row| row.branch.chars().count() <= 3 * DEEPEST)
        );
    }

    /// Few ids, so that orphans, circles and spans that came twice are common.
    fn spans() -> impl Strategy<Value = Vec<Span>> {
        let one = ("[a-h]", "[a-j]?", 0i128..9, 0i128..9);
        let one = one.prop_map(|(id, parent, start, took)| span(&id, &parent, start, start + took));
        proptest::collection::vec(one, 0..24)
    }

    proptest! {
        #[test]
        fn each_span_is_shown_once_and_right_below_its_parent(spans in spans()) {
            let rows = tree(&spans);
            let shown: BTreeSet<&str> = rows.iter().map(|row| &*row.span.id).collect();
            let ids: BTreeSet<&str> = spans.iter().map(|span| &*span.id).collect();
            prop_assert_eq!(&shown, &ids);
            prop_assert_eq!(rows.len(), ids.len());
            for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.depth > 0) {
                let above = rows[..at].iter().rev().find(|other| other.depth < row.depth);
                prop_assert_eq!(above.map(|it| &*it.span.id), Some(&*row.span.parent));
            }
            for row in &rows {
                let named = !row.span.parent.is_empty();
                prop_assert_eq!(row.is_orphan, named && !ids.contains(&*row.span.parent));
            }
        }

        #[test]
        fn the_order_in_which_spans_arrive_changes_nothing(spans in spans(), by in 0usize..24) {
            let mut other = spans.clone();
            other.rotate_left(by % spans.len().max(1));
            other.reverse();
            prop_assert_eq!(drawn(&spans), drawn(&other));
        }
    }
}
