//! A report for people.

use std::time::Duration;

use super::{Area, Report, Verdict};

pub(super) fn text(report: &Report, verbose: bool) -> String {
    let mut text = format!("{} at {}\n", report.tenant, report.way);
    let mut area = None;
    for check in &report.checks {
        if area != Some(check.area) {
            text.push_str(&format!("\n{}\n", check.area.name()));
            area = Some(check.area);
        }
        let (mark, detail) = match &check.verdict {
            Verdict::Passed(seen) => (
                "ok  ",
                Some(seen).filter(|seen| {
                    (verbose || check.area == Area::Performance) && !seen.is_empty()
                }),
            ),
            Verdict::Failed(why) => ("FAIL", Some(why)),
            Verdict::Skipped(why) => ("skip", Some(why)),
        };
        text.push_str(&format!(
            "  {mark}  {} ({})\n",
            check.claim,
            short(check.took)
        ));
        for line in detail.into_iter().flat_map(|detail| detail.lines()) {
            text.push_str(&format!("        {line}\n"));
        }
    }
    let (failed, skipped) = (report.failed(), report.skipped());
    let passed = report.checks.len() - failed - skipped;
    text.push_str(&format!(
        "\n{passed} passed, {failed} failed, {skipped} skipped in {}\n",
        short(report.took())
    ));
    text
}

/// `12ms`, `1.2s`.
pub(super) fn short(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1000 => format!("{millis}ms"),
        _ => format!("{:.1}s", time.as_secs_f64()),
    }
}
