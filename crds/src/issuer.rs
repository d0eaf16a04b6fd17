//! A tenant that issues tokens of its own.

use std::time::Duration;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the schema accepts as the lifetime of a token: minutes, or hours up to a day.
const LIFETIME: &str = "^([1-9][0-9]{0,2}m|([1-9]|1[0-9]|2[0-4])h)$";

/// The tenant as an issuer of tokens: the operator makes its keys, the API publishes their public halves, and
/// hands a client that shows its API key a short-lived token with some of the scopes that there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issuer {
    /// Where callers reach the API, and who the tokens say they are of; the address in the cluster, as
    /// `status.api.url` has it, by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("isURL(self) && self.matches('^https?://([^][/?#@:[:space:]]+|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?$')").message("url must be a URL such as https://documents.example.com, without a path"))]
    pub url: Option<String>,
    /// How long a token is good for, for example `15m` or `8h`; a day at most.
    #[serde(default = "default_token_lifetime")]
    #[schemars(length(min = 2, max = 4))]
    #[x_kube(validation = Rule::new(format!("self.matches('{LIFETIME}')")).message("tokenLifetime must be a whole number of minutes or hours up to 24h, such as 15m or 8h"))]
    pub token_lifetime: String,
}

impl Issuer {
    /// The longest that a token of any tenant is good for.
    pub const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long a token is good for; the schema lets nothing else in than what this understands.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        lifetime(&self.token_lifetime).unwrap_or(Self::LONGEST_LIFETIME)
    }
}

fn lifetime(text: &str) -> Option<Duration> {
    let (number, minutes) = match text.strip_suffix('h') {
        Some(number) => (number, 60),
        None => (text.strip_suffix('m')?, 1),
    };
    let number: u64 = number.parse().ok()?;
    let lifetime = Duration::from_secs(number * minutes * 60);
    (lifetime <= Issuer::LONGEST_LIFETIME).then_some(lifetime)
}

/// Long enough for a page that fetches a new one now and then, short enough for one that leaked.
fn default_token_lifetime() -> String {
    "15m".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_hours_up_to_a_day_are_understood_and_nothing_else() {
        for (text, minutes) in [("1m", 1), ("15m", 15), ("999m", 999), ("24h", 24 * 60)] {
            let expected = Duration::from_secs(minutes * 60);
            assert_eq!(lifetime(text), Some(expected), "{text}");
        }
        for wrong in ["", "m", "15", "15s", "1d", "25h", "-1m"] {
            assert_eq!(lifetime(wrong), None, "{wrong}");
        }
    }
}
