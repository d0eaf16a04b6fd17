//! Traffic that is easy to compute by hand, of one scrape a minute.

use docket_objectives::{Indicator, Objective, Window};

use self::Step::{Gone, Grows, Restarts};

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const MONTH: u32 = 30 * DAY;

/// The window of the objectives, and for how long anything is known.
pub const PERIOD: Window = Window::minutes(MONTH);
pub const PERIOD_MINUTES: u32 = MONTH;

/// What happened to a tenant.
pub struct Situation {
    /// Name of the tenant.
    tenant: &'static str,
    pub title: &'static str,
    indicator: Indicator,
    pub series: Vec<Series>,
}

/// A series, with its labels.
pub struct Series {
    pub name: String,
    /// One a minute, the last of them now.
    samples: Vec<Option<u32>>,
}

/// What a counter does next.
#[derive(Clone, Copy)]
enum Step {
    /// It grows by so many in each of so many minutes.
    Grows(u32, u32),
    /// It starts again at nothing.
    Restarts,
    /// For so many minutes nothing scrapes it.
    Gone(u32),
}

impl Situation {
    /// 99.9 % of requests are answered, or 99 % of those in time.
    pub fn objective(&self) -> Objective {
        let (name, target) = match self.indicator {
            Indicator::Availability => ("availability", "99.9"),
            Indicator::Latency { .. } => ("latency", "99"),
        };
        Objective {
            namespace: "acme".into(),
            tenant: self.tenant.into(),
            name: name.into(),
            target: target.parse().expect(target),
            workload: None,
            indicator: self.indicator,
            window: PERIOD,
        }
    }

    fn of(tenant: &'static str, title: &'static str, indicator: Indicator) -> Self {
        Self {
            tenant,
            title,
            indicator,
            series: Vec::new(),
        }
    }

    fn with(mut self, metric: &str, labels: &str, steps: &[Step]) -> Self {
        let of_pod = format!(
            "namespace=\"acme\",docket_tenant=\"{}\",docket_workload=\"documents\",path=\"/clients/{{client}}\"",
            self.tenant
        );
        self.series.push(Series {
            name: format!("{metric}{{{of_pod},{labels}}}"),
            samples: samples(steps),
        });
        self
    }

    fn answered(self, steps: &[Step]) -> Self {
        self.with("http_requests_total", r#"status="200""#, steps)
    }

    fn failed(self, steps: &[Step]) -> Self {
        self.with("http_requests_total", r#"status="500""#, steps)
    }
}

impl Series {
    /// Its sample at `minute` of the window, if it has one.
    pub fn at(&self, minute: u32) -> Option<u32> {
        let before_now = (PERIOD_MINUTES - minute) as usize;
        let at = self.samples.len().checked_sub(1 + before_now)?;
        self.samples[at]
    }
}

fn samples(steps: &[Step]) -> Vec<Option<u32>> {
    let mut value = 0;
    let mut samples = vec![Some(0)];
    for step in steps {
        match *step {
            Grows(each, minutes) => samples.extend((0..minutes).map(|_| {
                value += each;
                Some(value)
            })),
            Restarts => value = 0,
            Gone(minutes) => samples.extend((0..minutes).map(|_| None)),
        }
    }
    samples
}

/// All of them.
pub fn all() -> Vec<Situation> {
    let available = |tenant, title| Situation::of(tenant, title, Indicator::Availability);
    let good = |minutes| Grows(1000, minutes);
    let none = |minutes| Grows(0, minutes);
    let (most, few) = (|minutes| Grows(1999, minutes), |minutes| Grows(1, minutes));
    vec![
        available("steady", "Nothing ever failed").answered(&[good(MONTH)]),
        available("even", "One in a thousand fails")
            .answered(&[Grows(999, MONTH)])
            .failed(&[few(MONTH)]),
        available("begun", "Two in a hundred fail, for half an hour now")
            .answered(&[good(MONTH - 30), Grows(980, 30)])
            .failed(&[none(MONTH - 30), Grows(20, 30)]),
        available("fast", "Five in a hundred fail, for half an hour now")
            .answered(&[good(MONTH - 30), Grows(950, 30)])
            .failed(&[none(MONTH - 30), Grows(50, 30)]),
        available("outage", "All failed for forty minutes, until twenty minutes ago")
            .answered(&[good(MONTH - HOUR), none(40), good(20)])
            .failed(&[none(MONTH - HOUR), Grows(1000, 40), none(20)]),
        available("idle", "Nobody has asked for two hours; before, one in two thousand failed")
            .answered(&[most(MONTH - 2 * HOUR), none(2 * HOUR)])
            .failed(&[few(MONTH - 2 * HOUR), none(2 * HOUR)]),
        available("unused", "Nobody ever asked")
            .answered(&[none(MONTH)])
            .failed(&[none(MONTH)]),
        available("gone", "No pod has been there for an hour; before, one in two thousand failed")
            .answered(&[most(MONTH - HOUR), Gone(HOUR)])
            .failed(&[few(MONTH - HOUR), Gone(HOUR)]),
        available("restarted", "One in two thousand fails, and the pod started again fifteen days and half an hour ago")
            .answered(&[most(MONTH / 2), Restarts, most(MONTH / 2 - 30), Restarts, most(30)])
            .failed(&[few(MONTH / 2), Restarts, few(MONTH / 2 - 30), Restarts, few(30)]),
        available("new", "A tenant of one hour, of whose requests one in two thousand fails")
            .answered(&[most(HOUR)])
            .failed(&[few(HOUR)]),
        available("night", "At night a tenth as many ask, and one in a hundred fails; it is evening")
            .answered(&[Grows(99, DAY / 2), good(DAY / 2)].repeat(30))
            .failed(&[few(DAY / 2), none(DAY / 2)].repeat(30)),
        late(),
    ]
}

/// Latency is a promise about what does not fail: what fails is soon told, and counts for the other one.
fn late() -> Situation {
    let title = "Two in a hundred are late; one in eleven fails, but soon";
    let steady = |each| [Grows(each, MONTH)];
    let (count, bucket) = (
        "http_request_duration_seconds_count",
        "http_request_duration_seconds_bucket",
    );
    Situation::of("late", title, Indicator::Latency { threshold: 300 })
        .answered(&steady(1000))
        .failed(&steady(100))
        .with(count, r#"status="200""#, &steady(1000))
        .with(bucket, r#"status="200",le="0.3""#, &steady(980))
        .with(count, r#"status="500""#, &steady(100))
        .with(bucket, r#"status="500",le="0.3""#, &steady(100))
}
