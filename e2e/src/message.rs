//! A message to those on call, told alike whether Slack, PagerDuty or a mail server was sent it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// Who is: `slack`, `pagerduty` or `email`.
    pub to: String,
    /// `FIRING` or `RESOLVED`.
    pub state: String,
    /// Name of the alert.
    pub alert: String,
    /// Its severity.
    pub severity: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it tells.
    pub told: Told,
    /// Of which tenant: `<namespace>/<name>`.
    pub tenant: String,
    /// URLs of the runbook and of the dashboard.
    pub links: [String; 2],
    /// By what PagerDuty knows that an end belongs to a beginning.
    pub key: Option<String>,
}

impl Message {
    /// What the receivers of the development stack wrote down.
    ///
    /// # Errors
    /// It lacks something of a message.
    pub fn read(written: &Value) -> Result<Self> {
        let message = &written["message"];
        let to = text(&written["to"])?;
        let (title, links) = match to {
            "slack" => {
                let attachment = &message["attachments"][0];
                let body = text(&attachment["text"])?;
                let link = |what: &str| {
                    let url = body.lines().find_map(|line| line.strip_prefix(what));
                    url.map(str::to_owned)
                        .with_context(|| format!("no {what}in {body:?}"))
                };
                let links = [link("Runbook: ")?, link("Dashboard: ")?];
                (text(&attachment["title"])?, links)
            }
            "pagerduty" => {
                let link = |what: &str| {
                    let mut links = message["links"].as_array().into_iter().flatten();
                    let link = links.find(|link| link["text"] == what);
                    let link = link.with_context(|| format!("no link {what}"))?;
                    text(&link["href"]).map(str::to_owned)
                };
                let links = [link("Runbook")?, link("Dashboard")?];
                (text(&message["payload"]["summary"])?, links)
            }
            "email" => {
                let mail = text(&message["text"])?;
                let link = |what: &str| {
                    let (before, _) = mail.split_once(what).context("no such link")?;
                    let (_, url) = before.rsplit_once("href=\"").context("no URL")?;
                    Ok::<_, anyhow::Error>(url.replace("&amp;", "&"))
                };
                let links = [link("\">Runbook</a>")?, link("\">Dashboard</a>")?];
                let (_, headers) = mail.split_once("Subject: ").context("no subject")?;
                (headers.lines().next().unwrap_or_default(), links)
            }
            other => bail!("who is {other}?"),
        };
        let state = between(title, "[", "]")?;
        if to == "pagerduty" {
            let action = text(&message["event_action"])?;
            let fits = matches!(
                (action, &*state),
                ("trigger", "FIRING") | ("resolve", "RESOLVED")
            );
            ensure!(fits, "{action} of {title}");
        }
        Ok(Self {
            told: Told {
                to: to.to_owned(),
                state,
                alert: between(title, "] ", ": ")?,
                severity: between(title, " (", ")")?,
            },
            tenant: between(title, ": ", " (")?,
            links,
            key: message["dedup_key"].as_str().map(str::to_owned),
        })
    }
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("no text: {value}"))
}

/// What stands after `start`, up to `end`.
fn between(text: &str, start: &str, end: &str) -> Result<String> {
    let rest = text.split_once(start).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split_once(end));
    let (found, _) = found.with_context(|| format!("nothing after {start:?} in {text:?}"))?;
    Ok(found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TITLE: &str = "[FIRING] DocketErrorRateHigh: team/acme (page)";
    const RUNBOOK: &str = "https://docs.test/DocketErrorRateHigh.md";
    const DASHBOARD: &str =
        "https://grafana.test/d/docket-service?var-namespace=team&var-tenant=acme";

    fn message(to: &str, key: Option<&str>) -> Message {
        Message {
            told: Told {
                to: to.into(),
                state: "FIRING".into(),
                alert: "DocketErrorRateHigh".into(),
                severity: "page".into(),
            },
            tenant: "team/acme".into(),
            links: [RUNBOOK.into(), DASHBOARD.into()],
            key: key.map(str::to_owned),
        }
    }

    #[test]
    fn a_message_says_the_same_whoever_is_sent_it() {
        let body = format!("acme answers too many.\nRunbook: {RUNBOOK}\nDashboard: {DASHBOARD}\n");
        let slack =
            json!({"to": "slack", "message": {"attachments": [{"title": TITLE, "text": body}]}});
        assert_eq!(
            Message::read(&slack).expect("Slack's"),
            message("slack", None)
        );

        let links =
            json!([{"text": "Runbook", "href": RUNBOOK}, {"text": "Dashboard", "href": DASHBOARD}]);
        let event = json!({"event_action": "trigger", "dedup_key": "k", "payload": {"summary": TITLE}, "links": links});
        let pagerduty = json!({"to": "pagerduty", "message": event});
        let read = Message::read(&pagerduty).expect("PagerDuty's");
        assert_eq!(read, message("pagerduty", Some("k")));

        let html = DASHBOARD.replace('&', "&amp;");
        let mail = format!(
            "Subject: {TITLE}\r\nTo: a@b\r\n\r\n<a href=\"{RUNBOOK}\">Runbook</a>\r\n<a href=\"{html}\">Dashboard</a>\r\n"
        );
        let email = json!({"to": "email", "message": {"text": mail}});
        assert_eq!(
            Message::read(&email).expect("a mail"),
            message("email", None)
        );
    }

    #[test]
    fn what_leads_nowhere_is_no_message() {
        let slack =
            json!({"to": "slack", "message": {"attachments": [{"title": TITLE, "text": "acme"}]}});
        assert!(Message::read(&slack).is_err());
        let event = json!({"event_action": "resolve", "payload": {"summary": TITLE}, "links": []});
        assert!(Message::read(&json!({"to": "pagerduty", "message": event})).is_err());
    }
}
