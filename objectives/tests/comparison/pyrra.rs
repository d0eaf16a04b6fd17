//! What Pyrra's rules compute, written out by hand for one objective over 30 days: its windows and factors
//! (`Windows` of its slo/rules.go), its burn rates, and the budget that its page asks for. Its module could
//! not be had to generate them.

use docket_objectives::{Indicator, Objective};

use crate::contender::{Alert, Contender};

/// A multi-window alert; windows are in proportion to 28 days.
struct Burn {
    severity: &'static str,
    short: &'static str,
    long: &'static str,
    factor: u32,
    lasting: u32,
}

const BURNS: [Burn; 4] = [
    Burn {
        severity: "critical",
        short: "5m",
        long: "1h4m",
        factor: 14,
        lasting: 2,
    },
    Burn {
        severity: "critical",
        short: "32m",
        long: "6h26m",
        factor: 7,
        lasting: 16,
    },
    Burn {
        severity: "warning",
        short: "2h9m",
        long: "1d1h43m",
        factor: 2,
        lasting: 64,
    },
    Burn {
        severity: "warning",
        short: "6h26m",
        long: "4d6h51m",
        factor: 1,
        lasting: 193,
    },
];

/// How long all must be absent: until the first alert would fire if all failed.
const fn absent_for(indicator: Indicator) -> u32 {
    match indicator {
        Indicator::Availability => 3,
        Indicator::Latency { .. } => 11,
    }
}

/// What the rules of `objective` compute.
pub fn of(objective: &Objective) -> Contender {
    let requests = Requests::of(objective);
    let target = objective.target.ratio();
    let over = |factor: u32, window| {
        let rate = requests.bad_rate(window);
        format!("({rate}) > ({factor} * (1 - {target}))")
    };
    let burns = BURNS.iter().map(|alert| Alert {
        name: format!("{} {}", alert.severity, alert.long),
        expr: format!(
            "{} and {}",
            over(alert.factor, alert.short),
            over(alert.factor, alert.long)
        ),
        lasting: alert.lasting,
    });
    let absent = Alert {
        name: "critical, absent".into(),
        expr: format!("absent({}) == 1", requests.total),
        lasting: absent_for(objective.indicator),
    };
    let bad = requests.bad_of_period();
    Contender {
        name: "Pyrra",
        burns: ["5m", "1h4m", "6h26m", "4d6h51m"]
            .map(|window| format!("({}) / (1 - {target})", requests.bad_rate(window))),
        budget: format!("((1 - {target}) - ({bad})) / (1 - {target})"),
        bad,
        alerts: burns.chain([absent]).collect(),
    }
}

/// Selectors of the requests that an indicator is about.
struct Requests {
    indicator: Indicator,
    total: String,
    /// Those that are counted beside: the bad ones of availability, the good ones of latency.
    counted: String,
}

impl Requests {
    fn of(objective: &Objective) -> Self {
        let Objective {
            namespace,
            tenant,
            indicator,
            ..
        } = objective;
        let clients =
            format!("namespace=\"{namespace}\",docket_tenant=\"{tenant}\",path=~\"/clients/.+\"");
        let duration = "http_request_duration_seconds";
        let (total, counted) = match indicator {
            Indicator::Availability => (
                format!("http_requests_total{{{clients}}}"),
                format!("http_requests_total{{{clients},status=~\"5..\"}}"),
            ),
            Indicator::Latency { .. } => (
                format!("{duration}_count{{{clients},status!~\"5..\"}}"),
                format!("{duration}_bucket{{{clients},status!~\"5..\",le=\"0.3\"}}"),
            ),
        };
        Self {
            indicator: *indicator,
            total,
            counted,
        }
    }

    /// The share of bad ones over a short window.
    fn bad_rate(&self, window: &str) -> String {
        let rate = |selector: &str| format!("sum(rate({selector}[{window}]))");
        let (total, counted) = (rate(&self.total), rate(&self.counted));
        match self.indicator {
            Indicator::Availability => format!("{counted} / {total}"),
            Indicator::Latency { .. } => format!("({total} - {counted}) / {total}"),
        }
    }

    /// The share of bad ones over the objective's own.
    fn bad_of_period(&self) -> String {
        let increase = |selector: &str| format!("sum(increase({selector}[30d]))");
        let (total, counted) = (increase(&self.total), increase(&self.counted));
        let share = format!("({counted} or vector(0)) / {total}");
        match self.indicator {
            Indicator::Availability => share,
            Indicator::Latency { .. } => format!("1 - {share}"),
        }
    }
}
