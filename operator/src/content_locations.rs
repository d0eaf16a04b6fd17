//! Where clients keep what is outside their database, as the registry says beside their schemas: it is still
//! known when the spec no longer names the workload, or another tenant adopts the schema.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The places by the names of the workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentLocations(BTreeMap<String, ContentLocation>);

/// A bucket, and the Secret of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentLocation {
    /// Name of the bucket.
    pub bucket: String,
    /// URL of the server.
    pub endpoint: String,
    /// Region that requests are signed for.
    pub region: String,
    /// Name of the Secret, in the tenant's namespace.
    pub secret: String,
}

/// A workload whose content is in another place than the spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Name of the workload.
    pub workload: String,
    /// The bucket that has the content.
    pub bucket: String,
    /// URL of the server that has it.
    pub endpoint: String,
    /// Whether only the server has another name.
    pub is_same_bucket: bool,
}

impl ContentLocations {
    /// Of one workload.
    #[must_use]
    pub fn one(workload: &str, location: ContentLocation) -> Self {
        Self([(workload.to_owned(), location)].into())
    }

    /// What the registry says; what it cannot mean is nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As the registry has it.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("maps and strings serialize")
    }

    /// The same with all of `wanted` in place of what was known of those workloads.
    #[must_use]
    pub fn with(&self, wanted: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(wanted.0.clone());
        Self(all)
    }

    /// The same without `workload`.
    #[must_use]
    pub fn without(&self, workload: &str) -> Self {
        let mut rest = self.0.clone();
        rest.remove(workload);
        Self(rest)
    }

    /// The first workload of `wanted` whose content is in another bucket, or behind another endpoint.
    #[must_use]
    pub fn moved(&self, wanted: &Self) -> Option<Moved> {
        let elsewhere = self.0.iter().find(|(workload, known)| {
            let wanted = wanted.0.get(*workload);
            wanted.is_some_and(|wanted| {
                (&wanted.bucket, &wanted.endpoint) != (&known.bucket, &known.endpoint)
            })
        });
        elsewhere.map(|(workload, known)| Moved {
            workload: workload.clone(),
            bucket: known.bucket.clone(),
            endpoint: known.endpoint.clone(),
            is_same_bucket: wanted
                .0
                .get(workload)
                .is_some_and(|wanted| wanted.bucket == known.bucket),
        })
    }

    /// The place of each workload.
    pub fn each(&self) -> impl Iterator<Item = (&str, &ContentLocation)> {
        self.0.iter().map(|(name, place)| (name.as_str(), place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(bucket: &str, secret: &str) -> ContentLocations {
        let location = ContentLocation {
            bucket: bucket.into(),
            endpoint: "http://s3".into(),
            region: "us-east-1".into(),
            secret: secret.into(),
        };
        ContentLocations::one("documents", location)
    }

    #[test]
    fn what_the_registry_has_is_read_as_it_was_written() {
        let known = location("acme", "docket-s3");
        assert_eq!(ContentLocations::read(&known.text()), known);
        let none = ContentLocations::default();
        assert_eq!(none.text(), "{}");
        assert_eq!(ContentLocations::read("nonsense"), none);
    }

    #[test]
    fn a_workload_that_is_taken_out_leaves_its_place_and_one_that_comes_back_has_the_same() {
        let known = location("acme", "docket-s3");
        assert_eq!(known.with(&ContentLocations::default()), known);
        assert_eq!(known.moved(&ContentLocations::default()), None);
        let renamed = location("acme", "other-secret");
        assert_eq!(known.moved(&renamed), None);
        assert_eq!(known.with(&renamed), renamed);
        let moved = known.moved(&location("elsewhere", "docket-s3"));
        let moved = moved.expect("another bucket");
        assert_eq!((&*moved.bucket, moved.is_same_bucket), ("acme", false));
        let mut renamed = location("acme", "docket-s3");
        for location in renamed.0.values_mut() {
            location.endpoint = "https://s3".into();
        }
        let moved = known.moved(&renamed).expect("another endpoint");
        assert_eq!(
            (&*moved.endpoint, moved.is_same_bucket),
            ("http://s3", true)
        );
        assert_eq!(known.without("documents"), ContentLocations::default());
    }
}
