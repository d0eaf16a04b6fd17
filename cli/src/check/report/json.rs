//! A report for programs.

use serde_json::json;

use super::{Report, Verdict};

pub(super) fn json(report: &Report) -> String {
    let checks: Vec<serde_json::Value> = report
        .checks
        .iter()
        .map(|check| {
            let (result, detail) = match &check.verdict {
                Verdict::Passed(seen) => ("passed", seen),
                Verdict::Failed(why) => ("failed", why),
                Verdict::Skipped(why) => ("skipped", why),
            };
            json!({"area": check.area.name(), "claim": check.claim, "result": result, "detail": detail,
                "seconds": check.took.as_secs_f64()})
        })
        .collect();
    let report = json!({"tenant": report.tenant, "url": report.way, "passed": report.failed() == 0, "checks": checks});
    format!("{report:#}\n")
}
