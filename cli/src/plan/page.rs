//! A plan as people read it.

use docket_crds::PlanStatus;

use super::End;
use crate::columns::columns;

pub(super) fn plan(name: &str, plan: &PlanStatus) -> String {
    let count = match plan.changes.len() {
        0 => return format!("{name}: nothing would be changed; all is as the spec asks.\n"),
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    };
    let rows: Vec<[String; 4]> = plan
        .changes
        .iter()
        .map(|change| {
            let [mark, action, object, detail] = [
                mark(&change.action),
                &change.action,
                &change.object,
                &change.detail,
            ];
            [mark, action, object, detail].map(str::to_owned)
        })
        .collect();
    let deletes = plan.changes.iter().any(|change| change.action == "delete");
    let warning = match deletes {
        true => "This deletes documents for good.\n",
        false => "",
    };
    format!("{name}: {count}\n{}{warning}", columns("  ", &rows))
}

fn mark(action: &str) -> &'static str {
    match action {
        "create" | "adopt" => "+",
        "retain" | "delete" => "-",
        _ => "~",
    }
}

/// What became of the tenant, and how to go on.
pub(super) fn end(name: &str, end: End) -> String {
    match end {
        End::CarryOut => {
            format!(
                "The operator carries it out now. Follow it with: kubectl docket status {name}\n"
            )
        }
        End::PutBack => format!("Nothing was changed, and {name} is as it was before.\n"),
        End::Keep => format!(
            "Nothing was changed: {name} holds still, and nothing is repaired, until\n  \
             kubectl docket plan {name} --apply    carries it out, or\n  \
             kubectl docket plan {name} --discard  puts the spec before back.\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_crds::PlannedChange;

    fn change(action: &str, object: &str, detail: &str) -> PlannedChange {
        PlannedChange {
            action: action.into(),
            object: object.into(),
            detail: detail.into(),
        }
    }

    #[test]
    fn a_plan_reads_like_a_difference() {
        let changes = vec![
            change(
                "create",
                "schema acme_hooli_1f2e3d4c",
                "client hooli gets a role",
            ),
            change("update", "Secret/acme-api", "differs in data.tenant.json"),
            change(
                "delete",
                "schema acme_globex_b1f7",
                "client globex loses all its documents",
            ),
        ];
        let few = PlanStatus {
            generation: 4,
            changes,
        };
        let none = PlanStatus {
            generation: 4,
            changes: Vec::new(),
        };
        insta::assert_snapshot!(format!(
            "{}\n{}",
            plan("shop/acme", &few),
            plan("shop/acme", &none)
        ));
    }

    #[test]
    fn each_end_says_how_the_tenant_is_now() {
        let ends = [End::CarryOut, End::PutBack, End::Keep];
        insta::assert_snapshot!(ends.map(|it| end("acme", it)).join("\n"));
    }
}
