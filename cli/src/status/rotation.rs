//! When credentials were made anew, and when they will be.

use docket_crds::annotations::{ROTATED_AT, ROTATED_FOR};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::since::between;

/// What a Secret of the operator's tells about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Issued {
    /// There is no Secret yet.
    NotYet,
    /// It may not be read.
    Hidden,
    There {
        created: Option<Timestamp>,
        rotated: Option<Timestamp>,
        asked: Option<String>,
    },
}

impl Issued {
    pub(super) fn read(metadata: &ObjectMeta) -> Self {
        let annotations = metadata.annotations.as_ref();
        let annotation = |name| annotations.and_then(|all| all.get(name));
        Self::There {
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            rotated: annotation(ROTATED_AT).and_then(|at| at.parse().ok()),
            asked: annotation(ROTATED_FOR).cloned(),
        }
    }
}

/// The last and the next rotation in words. `asked` is the tenant's annotation, `every` its interval.
pub(super) fn rotation(
    issued: &Issued,
    asked: Option<&String>,
    every: Option<&String>,
    now: Timestamp,
) -> [String; 2] {
    let (created, rotated, answered) = match issued {
        Issued::NotYet => return ["not issued yet".to_owned(), String::new()],
        Issued::Hidden => {
            return [
                "you may not read the Secret that tells".to_owned(),
                String::new(),
            ];
        }
        Issued::There {
            created,
            rotated,
            asked,
        } => (*created, *rotated, asked.as_ref()),
    };
    let last = match (rotated, created) {
        (Some(at), _) => format!("rotated {} ago", between(at, now)),
        (None, Some(at)) => format!("issued {} ago, never rotated", between(at, now)),
        (None, None) => "never rotated".to_owned(),
    };
    let length = every.and_then(|every| docket_crds::interval(every));
    let due = length.and_then(|length| rotated.or(created)?.checked_add(length).ok());
    let next = match (asked.is_some() && asked != answered, due, every) {
        (true, _, _) => "asked for, and not begun".to_owned(),
        (_, Some(due), Some(every)) if due > now => {
            format!("next in {} (every {every})", between(due, now))
        }
        (_, Some(_), Some(every)) => format!("due now (every {every})"),
        _ => "next when asked for".to_owned(),
    };
    [last, next]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn there(rotated: Option<i64>, asked: Option<&str>) -> Issued {
        Issued::There {
            created: Some(at(0)),
            rotated: rotated.map(at),
            asked: asked.map(Into::into),
        }
    }

    #[test]
    fn the_last_and_the_next_rotation_are_told() {
        let (new, every) = ("new".to_owned(), "30d".to_owned());
        let now = at(20 * DAY);
        let told = |issued: Issued, asked: Option<&String>, every: Option<&String>| {
            rotation(&issued, asked, every, now).join(" | ")
        };
        insta::assert_snapshot!(
            [
                told(Issued::NotYet, None, None),
                told(Issued::Hidden, None, None),
                told(there(None, None), None, None),
                told(there(None, None), None, Some(&every)),
                told(there(Some(15 * DAY), Some("new")), Some(&new), Some(&every)),
                told(there(Some(15 * DAY), Some("old")), Some(&new), Some(&every)),
                told(there(Some(-15 * DAY), None), None, Some(&every)),
            ]
            .join("\n")
        );
    }
}
