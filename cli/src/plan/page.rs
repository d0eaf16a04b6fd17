//! A plan as people read it.

use docket_crds::{PlanStatus, PlannedAction, PlannedChange};

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
            [
                mark(change.action).to_owned(),
                change.action.to_string(),
                change.object.clone(),
                change.detail.clone(),
            ]
        })
        .collect();
    let warning = match plan.changes.iter().any(PlannedChange::loses_data) {
        true => "This deletes data for good.\n",
        false => "",
    };
    format!("{name}: {count}\n{}{warning}", columns("  ", &rows))
}

fn mark(action: PlannedAction) -> &'static str {
    match action {
        PlannedAction::Create | PlannedAction::Adopt => "+",
        PlannedAction::Update => "~",
        PlannedAction::Retain | PlannedAction::Delete => "-",
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

    fn change(
        action: PlannedAction,
        object: &str,
        client: Option<&str>,
        detail: &str,
    ) -> PlannedChange {
        PlannedChange {
            action,
            object: object.into(),
            client: client.map(str::to_owned),
            detail: detail.into(),
        }
    }

    #[test]
    fn a_plan_reads_like_a_difference() {
        let changes = vec![
            change(
                PlannedAction::Create,
                "schema acme_hooli_1f2e3d4c",
                Some("hooli"),
                "client hooli gets a role",
            ),
            change(
                PlannedAction::Update,
                "Secret/acme-api",
                None,
                "differs in data.tenant.json",
            ),
            change(
                PlannedAction::Delete,
                "schema acme_globex_b1f7",
                Some("globex"),
                "client globex loses all its data",
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
    fn only_what_takes_a_clients_data_away_is_warned_of() {
        let page = |action, object, client| {
            plan(
                "shop/acme",
                &PlanStatus {
                    generation: 4,
                    changes: vec![change(action, object, client, "it goes")],
                },
            )
        };
        let warned = |page: String| page.contains("deletes data");
        assert!(warned(page(
            PlannedAction::Delete,
            "schema s",
            Some("globex")
        )));
        assert!(!warned(page(
            PlannedAction::Retain,
            "schema s",
            Some("globex")
        )));
        assert!(!warned(page(
            PlannedAction::Delete,
            "Ingress/acme-api",
            None
        )));
    }

    #[test]
    fn each_end_says_how_the_tenant_is_now() {
        let ends = [End::CarryOut, End::PutBack, End::Keep];
        insta::assert_snapshot!(ends.map(|it| end("acme", it)).join("\n"));
    }
}
