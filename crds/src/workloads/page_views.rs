//! The workload `pageViews`.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Views of pages and documents, with visitors that nobody can name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageViewsWorkload {
    /// Origins whose pages may tell of views with the publishable key of their client, as browsers write them, for
    /// example `https://www.example.com`. Without any, only the client itself tells of views, with its own key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 260)))]
    #[x_kube(validation = Rule::new("self.all(origin, origin.matches('^(https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?|http://localhost(:[1-9][0-9]{0,4})?)$') && !origin.matches('^https:.*:443$|^http:.*:80$'))").message("an origin is https://, a host in lower case and perhaps a port other than 443, without a slash behind it, such as https://www.example.com; only localhost may have http"))]
    #[x_kube(validation = Rule::new("self.all(origin, self.exists_one(other, other == origin))").message("an origin is named once"))]
    pub origins: Vec<String>,
    /// Days for which each view is kept; what was counted of a day is kept for five years at least.
    #[serde(default = "default_retention_days")]
    #[schemars(range(min = 1, max = 3650))]
    pub retention_days: i32,
    /// Whether reads of the content of documents are counted too.
    #[serde(default)]
    pub documents: bool,
}

/// Long enough to look into a quarter view by view.
const fn default_retention_days() -> i32 {
    90
}
