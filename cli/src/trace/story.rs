//! One trace with all that is known of it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::id::Id;
use super::line::{Line, merged};
use super::otlp::Batches;
use super::span::{Span, request_of};

/// Traces of one id that are shown, the newest: whoever repeats a request may repeat its id.
const MOST: usize = 10;

/// One trace, or a request that has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Story {
    pub trace: String,
    pub spans: Vec<Span>,
    pub lines: Vec<Line>,
}

/// The stories of `id`, the oldest first, and how many older ones are left out.
pub(super) fn stories(id: &Id, of_pods: Vec<Line>, of_gateway: Batches) -> (Vec<Story>, usize) {
    let lines = merged(of_pods, of_gateway.lines);
    let mut traces: Vec<&str> = traces(id, &lines, &of_gateway.spans).into_iter().collect();
    let mut stories: Vec<Story> = traces
        .drain(..)
        .map(|trace| Story {
            trace: trace.to_owned(),
            spans: of_gateway
                .spans
                .iter()
                .filter(|it| it.trace == trace)
                .cloned()
                .collect(),
            lines: lines
                .iter()
                .filter(|it| it.trace == trace)
                .cloned()
                .collect(),
        })
        .collect();
    stories.sort_by_key(Story::start);
    let left_out = stories.len().saturating_sub(MOST);
    (stories.split_off(left_out), left_out)
}

/// The traces that are `id`, or whose request is.
pub(super) fn traces<'a>(id: &Id, lines: &'a [Line], spans: &'a [Span]) -> BTreeSet<&'a str> {
    let id = id.text();
    let of_lines = lines
        .iter()
        .filter(|line| line.trace == id || line.request == id)
        .map(|line| &*line.trace);
    let of_spans = spans
        .iter()
        .filter(|span| span.trace == id || request_of(span) == id)
        .map(|span| &*span.trace);
    let traces = of_lines.chain(of_spans);
    traces.filter(|trace| !trace.is_empty()).collect()
}

impl Story {
    /// The first moment of it.
    pub(super) fn start(&self) -> Option<Timestamp> {
        let spans = self.spans.iter().map(|span| span.start);
        spans
            .min()
            .or_else(|| self.lines.iter().map(|line| line.at).min())
    }

    /// The line of the request; of several those of other servers come before.
    pub(super) fn request(&self) -> Option<&Line> {
        self.lines.iter().rfind(|line| line.is_request())
    }

    /// The id of the request, if it is one.
    pub(super) fn request_id(&self) -> Option<&str> {
        let of_lines = self.lines.iter().map(|line| &*line.request);
        let of_spans = self.spans.iter().map(request_of);
        of_lines.chain(of_spans).find(|id| !id.is_empty())
    }

    /// Whether more spans are to be expected: that of the request ends last.
    pub(super) fn is_whole(&self) -> bool {
        match self.request() {
            Some(line) => self.spans.iter().any(|span| span.id == line.span),
            None => !self.spans.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{TRACE, batches, id, pod_lines};
    use super::*;

    #[test]
    fn a_request_and_its_trace_find_the_same_story() {
        let of_request = stories(&id("order-12"), pod_lines(), batches());
        assert_eq!(of_request, stories(&id(TRACE), pod_lines(), batches()));
        let (found, left_out) = of_request;
        assert_eq!((found.len(), left_out), (1, 0));
        assert_eq!(found[0].request_id(), Some("order-12"));
        assert!(found[0].is_whole());
        let (none, _) = stories(&id("order-1"), pod_lines(), batches());
        assert!(none.is_empty());
    }

    #[test]
    fn pods_that_are_gone_are_spoken_for_by_the_gateway() {
        let (found, _) = stories(&id("order-12"), Vec::new(), batches());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].request_id(), Some("order-12"));
    }

    #[test]
    fn a_story_is_whole_once_the_span_of_its_request_is_there() {
        let (mut found, _) = stories(&id(TRACE), pod_lines(), batches());
        let story = &mut found[0];
        story
            .spans
            .retain(|span| !span.parent.is_empty() && span.name == "upload_document");
        assert!(!story.is_whole());
    }

    #[test]
    fn of_an_id_that_was_used_again_and_again_the_newest_stories_are_told() {
        let lines = (0..12).map(|at| Line {
            trace: format!("trace {at}"),
            at: Timestamp::from_second(at).expect("a time"),
            ..pod_lines().remove(0)
        });
        let (found, left_out) = stories(&id("order-12"), lines.collect(), Batches::default());
        assert_eq!((found.len(), left_out), (MOST, 2));
        assert_eq!(found[0].trace, "trace 2");
    }
}
