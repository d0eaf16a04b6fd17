//! The annotations that Docket's programs read and write.

use std::collections::BTreeMap;

/// Of a tenant: `true` asks for a plan, and for nothing to be changed meanwhile. Users and `docketctl
/// plan` write it, the operator reads it.
pub const PLAN: &str = "docket.dev/plan";

/// Of a tenant: its spec before the plan, as JSON. `docketctl plan` writes it, and puts that spec back.
pub const SPEC_BEFORE_PLAN: &str = "docket.dev/spec-before-plan";

/// Of a tenant: each new value asks for new logins to the database, once. Users and `docketctl rotate`
/// write it, the operator reads it.
pub const ROTATE: &str = "docket.dev/rotate";

/// Of a tenant: each new value asks for new logins to the database, and for those that there are to end at once,
/// sessions and all. Users and `docketctl rotate --revoke` write it, the operator reads it.
pub const REVOKE: &str = "docket.dev/revoke";

/// Of a tenant: each new value asks for new API keys, once. Users and `docketctl rotate` write it, the
/// operator reads it.
pub const ROTATE_API_KEYS: &str = "docket.dev/rotate-api-keys";

/// Of a tenant: each new value asks for a new key to sign tokens with, once. Users and `docketctl
/// rotate` write it, the operator reads it.
pub const ROTATE_SIGNING_KEYS: &str = "docket.dev/rotate-signing-keys";

/// Of a tenant: the owners, with commas between, whose content in the bucket it takes over, as conditions name them, or
/// `nobody`. Users write it, the operator reads it.
pub const TAKE_OVER_CONTENT: &str = "docket.dev/take-over-content";

/// Of a tenant: how many contents of a client may be swept although they are unusually many. Users write it, the
/// operator reads it.
pub const SWEEP_UP_TO: &str = "docket.dev/sweep-up-to";

/// Of a tenant: schemas, with commas between, whose removal is not waited for any more: what is left of them stays as
/// it is. Users write it, the operator reads it.
pub const GIVE_UP: &str = "docket.dev/give-up";

/// Of the Secrets of logins, API keys and signing keys: when they were last rotated (RFC 3339). The operator writes
/// and reads it, `docketctl status` shows it.
pub const ROTATED_AT: &str = "docket.dev/rotated-at";

/// Of the same Secrets: the value that asked for the last rotation. The operator writes and reads it,
/// `docketctl rotate` waits for it.
pub const ROTATED_FOR: &str = "docket.dev/rotated-for";

/// Of the Secret of logins: the value that asked for the last ones to end at once. The operator writes and reads it,
/// `docketctl rotate --revoke` waits for it.
pub const REVOKED_FOR: &str = "docket.dev/revoked-for";

/// Of the template of pods: a hash of what they read at their start, so that they are replaced when it
/// changes. The operator writes it, the Deployment's controller compares it.
pub const CONFIG_HASH: &str = "docket.dev/config-hash";

/// Of every child: a hash of what was applied. The operator writes and reads it: a field that was taken
/// out of what it wants shows in nothing else.
pub const APPLIED_HASH: &str = "docket.dev/applied-hash";

/// Whether a tenant with these annotations asks for a plan, and holds still.
#[must_use]
pub fn ask_for_plan(annotations: &BTreeMap<String, String>) -> bool {
    annotations.get(PLAN).is_some_and(|value| value == "true")
}

/// What the annotation `name` among these lists, with commas between.
pub fn listed<'a>(
    annotations: &'a BTreeMap<String, String>,
    name: &str,
) -> impl Iterator<Item = &'a str> {
    let value = annotations.get(name).map_or("", String::as_str);
    value.split(',').map(str::trim).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_clusters_that_know_the_annotations_go_on_knowing_them() {
        let names = [
            PLAN,
            SPEC_BEFORE_PLAN,
            ROTATE,
            REVOKE,
            ROTATE_API_KEYS,
            ROTATE_SIGNING_KEYS,
            TAKE_OVER_CONTENT,
            SWEEP_UP_TO,
            GIVE_UP,
            ROTATED_AT,
            ROTATED_FOR,
            REVOKED_FOR,
            CONFIG_HASH,
            APPLIED_HASH,
        ];
        let pinned = [
            "docket.dev/plan",
            "docket.dev/spec-before-plan",
            "docket.dev/rotate",
            "docket.dev/revoke",
            "docket.dev/rotate-api-keys",
            "docket.dev/rotate-signing-keys",
            "docket.dev/take-over-content",
            "docket.dev/sweep-up-to",
            "docket.dev/give-up",
            "docket.dev/rotated-at",
            "docket.dev/rotated-for",
            "docket.dev/revoked-for",
            "docket.dev/config-hash",
            "docket.dev/applied-hash",
        ];
        assert_eq!(names, pinned);
    }

    #[test]
    fn a_plan_is_asked_for_by_the_word_true_alone() {
        for (value, asked) in [
            ("true", true),
            ("false", false),
            ("", false),
            ("yes", false),
        ] {
            let annotations = [(PLAN.to_owned(), value.to_owned())].into();
            assert_eq!(ask_for_plan(&annotations), asked, "{value:?}");
        }
        assert!(!ask_for_plan(&BTreeMap::new()));
    }
}
