//! What is to be said of telemetry that is lost, in words that change seldom.

use docket_crds::ConditionType;
use docket_crds::labels;
use docket_crds::names::COLLECTOR_CONTAINER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::query::Measured;
use crate::cache::pods::Owner;
use crate::validated_tenant::Notice;

/// Part of its queue that a collector may fill before that is said.
const FULL: f64 = 0.8;

/// Part below which it is said no more: one that swings around the bound is not told and taken back again.
const EMPTIED: f64 = 0.6;

const DROPPED: &str = "TelemetryDropped";
const FILLING: &str = "TelemetryQueueFilling";
const UNSENT: &str = "TelemetryNotSent";

/// What matters most of what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// So many items were dropped, rounded down to a power of ten.
    Dropped(u64),
    /// A queue is nearly full.
    Filling,
    /// Something waits, and nothing gets out.
    Unsent,
}

impl Loss {
    /// What `measured` comes to, where it was `before`.
    pub(super) fn of(measured: Measured, before: Option<Self>) -> Option<Self> {
        let enough = match before {
            Some(Self::Filling | Self::Dropped(_)) => EMPTIED,
            _ => FULL,
        };
        if measured.dropped >= 1.0 {
            // As a whole number: 999.99 were 999.
            let digits = (measured.dropped as u64).ilog10();
            Some(Self::Dropped(10u64.pow(digits)))
        } else if measured.fullest > enough {
            Some(Self::Filling)
        } else if measured.unsent > 0.0 {
            Some(Self::Unsent)
        } else {
            None
        }
    }
}

/// What a person is told of `loss`.
pub(super) fn notice(loss: Loss, (namespace, name): &Owner) -> Notice {
    let (reason, what) = match loss {
        Loss::Dropped(count) => (
            DROPPED,
            format!(
                "In the last ten minutes the collectors dropped telemetry, {} or more of spans, log records and metric \
                 points: their endpoint refuses it, or took nothing until a queue was full.",
                match count {
                    1 => "one".to_owned(),
                    count => count.to_string(),
                }
            ),
        ),
        Loss::Filling => (
            FILLING,
            "What waits for the endpoint of telemetry fills more than 80 % of a collector's queue; beyond it, what \
             comes is dropped."
                .to_owned(),
        ),
        Loss::Unsent => (
            UNSENT,
            "A collector has had something to send for five minutes, and its endpoint took nothing: it is gone or \
             cannot be reached, its certificate has another name or is of none of the authorities that \
             spec.telemetry.tls.caSecretRef names, or it does not accept the certificate of \
             spec.telemetry.tls.certificateSecretRef."
                .to_owned(),
        ),
    };
    Notice {
        reason,
        message: format!(
            "{what} Their log says why: kubectl logs -n {namespace} -l {} -c {COLLECTOR_CONTAINER}.",
            labels::of_tenant(name)
        ),
    }
}

/// Whether `reason` is one of what is said here.
pub(crate) fn is_loss(reason: &str) -> Option<&'static str> {
    [DROPPED, FILLING, UNSENT]
        .into_iter()
        .find(|it| *it == reason)
}

/// What `conditions` said of it.
pub(super) fn before(conditions: &[Condition]) -> Option<Notice> {
    let said = ConditionType::CollectorReady.among(conditions)?;
    Some(Notice {
        reason: is_loss(&said.reason)?,
        message: said.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dropped: f64, fullest: f64, unsent: f64, before: Option<Loss>) -> Option<Loss> {
        let measured = Measured {
            dropped,
            fullest,
            unsent,
        };
        Loss::of(measured, before)
    }

    #[test]
    fn what_was_dropped_is_said_before_what_may_be_and_in_powers_of_ten() {
        assert_eq!(of(0.0, 0.0, 0.0, None), None);
        assert_eq!(of(0.4, 0.0, 0.0, None), None, "a rounding error");
        assert_eq!(of(1.0, 1.0, 1.0, None), Some(Loss::Dropped(1)));
        assert_eq!(of(999.9, 0.0, 0.0, None), Some(Loss::Dropped(100)));
        assert_eq!(of(1_000.0, 0.0, 0.0, None), Some(Loss::Dropped(1_000)));
        assert_eq!(of(0.0, 0.0, 1.0, None), Some(Loss::Unsent));
    }

    #[test]
    fn a_queue_is_filling_from_one_bound_on_until_it_is_below_another() {
        assert_eq!(of(0.0, 0.79, 0.0, None), None);
        assert_eq!(of(0.0, 0.81, 0.0, None), Some(Loss::Filling));
        assert_eq!(of(0.0, 0.61, 0.0, Some(Loss::Filling)), Some(Loss::Filling));
        assert_eq!(of(0.0, 0.59, 0.0, Some(Loss::Filling)), None);
    }

    #[test]
    fn each_notice_says_what_happens_and_where_to_look() {
        let owner = ("team".to_owned(), "acme".to_owned());
        let all = [
            Loss::Dropped(1),
            Loss::Dropped(1000),
            Loss::Filling,
            Loss::Unsent,
        ];
        let told = all.map(|loss| {
            let Notice { reason, message } = notice(loss, &owner);
            assert_eq!(is_loss(reason), Some(reason));
            format!("{reason}: {message}")
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
