use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use docket_crds::DocumentTenant;
use docket_e2e::scenario::{Scenario, TENANT, scenario, tenant};
use kube::api::PostParams;
use serde_json::{Value, json};

type Change = fn(&mut Value);

/// Changes that are refused when a tenant is created, and the sentence that says why.
const REFUSED: &[(&str, Change)] = &[
    (
        "spec.clients in body should have at least 1 items",
        |spec| spec["clients"] = json!([]),
    ),
    ("Duplicate value", |spec| {
        spec["clients"] = json!([{"name": "a"}, {"name": "a"}])
    }),
    (
        "a client's name consists of lower-case letters, digits and '-'",
        |spec| {
            spec["clients"] = json!([{"name": "Globex"}]);
        },
    ),
    (
        "a client's name consists of lower-case letters, digits and '-'",
        |spec| {
            spec["clients"] = json!([{"name": "../etc"}]);
        },
    ),
    ("may not be more than 63", |spec| {
        spec["clients"] = json!([{"name": "a".repeat(64)}])
    }),
    ("a quota names documents, storage or both", |spec| {
        spec["clients"] = json!([{"name": "a", "quota": {}}]);
    }),
    (
        "storage must be a whole number with a unit, such as 500Mi or 10Gi",
        |spec| {
            spec["clients"] = json!([{"name": "a", "quota": {"storage": "1.5Gi"}}]);
        },
    ),
    (
        "spec.clients[0].quota.documents: Invalid value: 0",
        |spec| {
            spec["clients"] = json!([{"name": "a", "quota": {"documents": 0}}]);
        },
    ),
    ("spec.clients[0].retention.days: Invalid value: 0", |spec| {
        spec["clients"] = json!([{"name": "a", "retention": {"days": 0}}]);
    }),
    (
        "a toleration without a key needs the operator Exists",
        |spec| {
            spec["api"]["tolerations"] = json!([{"value": "yes"}]);
        },
    ),
    ("value has no meaning with the operator Exists", |spec| {
        spec["api"]["tolerations"] = json!([{"key": "a", "operator": "Exists", "value": "b"}]);
    }),
    (
        "target must be a percentage above 0 and below 100",
        |spec| {
            spec["objectives"] = json!([{"name": "a", "target": "100"}]);
        },
    ),
    (
        "threshold must be one that the API's metrics can tell",
        |spec| {
            spec["objectives"] = json!([{"name": "a", "target": "99", "threshold": "301ms"}]);
        },
    ),
    ("supported values: \"documents\"", |spec| {
        spec["objectives"] = json!([{"name": "a", "target": "99", "workload": "document"}]);
    }),
    (
        "an objective's workload must be one that workloads has: add it there, or take it out of the objective",
        |spec| {
            spec["workloads"] = json!({"pageViews": {}});
            spec["objectives"] = json!([{"name": "a", "target": "99", "workload": "documents"}]);
        },
    ),
    ("window must be 1 to 99 days, such as 30d", |spec| {
        spec["objectives"] = json!([{"name": "a", "target": "99", "window": "0d"}]);
    }),
    (
        "rotation must be a whole number of hours or days, such as 12h or 30d",
        |spec| {
            spec["credentials"] = json!({"rotation": "30m"});
        },
    ),
    (
        "apiKeyRotation must be a whole number of hours or days",
        |spec| {
            spec["credentials"] = json!({"apiKeyRotation": "0d"});
        },
    ),
    ("must have at most 100 items", |spec| {
        let many = (0..101).map(|n| json!({"name": format!("c{n}")}));
        spec["clients"] = many.collect();
    }),
    ("spec.workloads: Required value", |spec| {
        spec.as_object_mut().unwrap().remove("workloads");
    }),
    (
        "workloads names what the tenant runs, one at least: write documents",
        |spec| spec["workloads"] = json!({}),
    ),
    ("an origin is https://, a host in lower case", |spec| {
        spec["workloads"]["pageViews"] = json!({"origins": ["https://www.globex.example/"]})
    }),
    ("an origin is https://, a host in lower case", |spec| {
        spec["workloads"]["pageViews"] = json!({"origins": ["http://www.globex.example"]})
    }),
    ("an origin is https://, a host in lower case", |spec| {
        spec["workloads"]["pageViews"] = json!({"origins": ["https://globex.example:443"]})
    }),
    ("an origin is named once", |spec| {
        let origin = "https://www.globex.example";
        spec["workloads"]["pageViews"] = json!({"origins": [origin, origin]});
    }),
    (
        "spec.workloads.pageViews.retentionDays: Invalid value: 0",
        |spec| spec["workloads"]["pageViews"] = json!({"retentionDays": 0}),
    ),
    ("pageViews.documents counts reads of documents", |spec| {
        spec["workloads"] = json!({"pageViews": {"documents": true}});
    }),
    ("spec.workloads.documents.storage: Required value", |spec| {
        spec["workloads"] = json!({"documents": {}});
    }),
    (
        "spec.workloads.documents.retention.days: Invalid value: 0",
        |spec| {
            spec["workloads"]["documents"]["retention"] = json!({"days": 0});
        },
    ),
    ("a quota names documents, storage or both", |spec| {
        spec["workloads"]["documents"]["quota"] = json!({});
    }),
    ("unknown field \"spec.workloads.document\"", |spec| {
        spec["workloads"]["document"] = json!({});
    }),
    ("spec.database: Required value", |spec| {
        spec.as_object_mut().unwrap().remove("database");
    }),
    (
        "a Secret's name consists of lower-case letters, digits, '-' and '.'",
        |spec| {
            spec["database"]["secretRef"]["name"] = json!("Not A Name");
        },
    ),
    ("supported values: \"Retain\", \"Delete\"", |spec| {
        spec["database"]["deletionPolicy"] = json!("Shred");
    }),
    (
        "endpoint must be a URL such as https://s3.example.com",
        |spec| {
            spec["workloads"]["documents"]["storage"]["s3"]["endpoint"] = json!("s3.example.com");
        },
    ),
    (
        "endpoint must be a URL such as https://s3.example.com",
        |spec| {
            spec["workloads"]["documents"]["storage"]["s3"]["endpoint"] =
                json!("ftp://s3.example.com");
        },
    ),
    (
        "a bucket's name consists of 3 to 63 lower-case letters",
        |spec| {
            spec["workloads"]["documents"]["storage"]["s3"]["bucket"] = json!("My_Bucket");
        },
    ),
    (
        "spec.api.replicas in body should be greater than or equal to 1",
        |spec| {
            spec["api"]["replicas"] = json!(0);
        },
    ),
    (
        "spec.api.replicas in body should be less than or equal to 50",
        |spec| {
            spec["api"]["replicas"] = json!(51);
        },
    ),
    ("image must not contain white space", |spec| {
        spec["api"]["image"] = json!("an image")
    }),
    ("supported values: \"ApiKey\", \"Jwt\", \"None\"", |spec| {
        spec["api"]["auth"] = json!({"mode": "Basic"});
    }),
    (
        "mode Jwt needs jwt, with the issuer and audience of the tokens",
        |spec| {
            spec["api"]["auth"] = json!({"mode": "Jwt"});
        },
    ),
    (
        "issuer must be a URL such as https://login.example.com",
        |spec| {
            let jwt = json!({"issuer": "login.example.com", "audience": "docket"});
            spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt});
        },
    ),
    (
        "jwksUrl, or issuer where there is none, must start with https://",
        |spec| {
            let jwt = json!({"issuer": "http://login.example.com", "audience": "docket"});
            spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt});
        },
    ),
    (
        "jwksUrl, or issuer where there is none, must start with https://",
        |spec| {
            let jwt = json!({"issuer": "https://login.example.com", "audience": "docket",
                "jwksUrl": "http://login.example.com/keys", "allowHttp": false});
            spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt});
        },
    ),
    (
        "with auth.mode None and ingress or httpRoute, everybody outside reads and writes",
        |spec| {
            spec["api"]["auth"] = json!({"mode": "None"});
            spec["api"]["ingress"] = json!({"host": "a.example.com"});
        },
    ),
    (
        "with auth.mode None and ingress or httpRoute, everybody outside reads and writes",
        |spec| {
            spec["api"]["auth"] = json!({"mode": "None"});
            spec["api"]["httpRoute"] = json!({"parentRefs": [{"name": "public"}]});
        },
    ),
    (
        "headersSecretRef needs an endpoint that starts with https://",
        |spec| {
            spec["telemetry"] =
                json!({"endpoint": "http://gateway:4317", "headersSecretRef": {"name": "headers"}});
        },
    ),
    ("url must start with https://", |spec| {
        let openai = openai("http://s/v1", "30s");
        spec["workloads"]["documents"]["summarizer"] = json!({"mode": "OpenAI", "openai": openai});
    }),
    ("issuer needs mode ApiKey or Jwt", |spec| {
        spec["api"]["auth"] = json!({"mode": "None", "issuer": {}});
    }),
    ("issuer.url and jwt.issuer must differ", |spec| {
        let jwt = json!({"issuer": "https://login.example.com", "audience": "docket"});
        let issuer = json!({"url": "https://login.example.com"});
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt, "issuer": issuer});
    }),
    (
        "url must be a URL such as https://documents.example.com, without a path",
        |spec| {
            spec["api"]["auth"] = json!({"issuer": {"url": "https://documents.example.com/"}});
        },
    ),
    (
        "tokenLifetime must be a whole number of minutes or hours up to 24h",
        |spec| {
            spec["api"]["auth"] = json!({"issuer": {"tokenLifetime": "25h"}});
        },
    ),
    (
        "credentials.signingKeyRotation needs api.auth.issuer",
        |spec| {
            spec["credentials"] = json!({"signingKeyRotation": "90d"});
        },
    ),
    ("spec.api.auth.jwt.audience: Required value", |spec| {
        let jwt = json!({"issuer": "https://login.example.com"});
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt});
    }),
    (
        "spec.api.rateLimit.requestsPerSecond in body should be greater than or equal to 1",
        |spec| {
            spec["api"]["rateLimit"] = json!({"requestsPerSecond": 0});
        },
    ),
    (
        "maxSize must be a whole number with a unit, such as 500Mi or 5Gi",
        |spec| {
            spec["workloads"]["documents"]["uploads"] = json!({"maxSize": "much"});
        },
    ),
    ("maxSize must be at most 64Gi", |spec| {
        spec["workloads"]["documents"]["uploads"] = json!({"maxSize": "65Gi"});
    }),
    (
        "a type is written in lower case and without parameters",
        |spec| {
            spec["workloads"]["documents"]["uploads"] =
                json!({"acceptedTypes": ["image/*", "*/*"]});
        },
    ),
    ("spec.api.tls.secretRef: Required value", |spec| {
        spec["api"]["tls"] = json!({});
    }),
    (
        "replicas and autoscaling exclude each other: take replicas out",
        |spec| {
            spec["api"] = json!({"replicas": 2, "autoscaling": {"maxReplicas": 5}});
        },
    ),
    (
        "autoscaling.minReplicas, 2 by default, must not exceed autoscaling.maxReplicas",
        |spec| {
            spec["api"] = json!({"autoscaling": {"maxReplicas": 1}});
        },
    ),
    ("autoscaling needs resources.requests.cpu", |spec| {
        let resources = json!({"requests": {"memory": "64Mi"}});
        spec["api"] = json!({"autoscaling": {"maxReplicas": 5}, "resources": resources});
    }),
    ("ingress and httpRoute exclude each other", |spec| {
        let route = json!({"parentRefs": [{"name": "public"}]});
        spec["api"] = json!({"ingress": {"host": "a.example.com"}, "httpRoute": route});
    }),
    (
        "host must be a host name such as documents.example.com",
        |spec| {
            spec["api"]["ingress"] = json!({"host": "https://a.example.com"});
        },
    ),
    (
        "a hostname must be a host name such as documents.example.com",
        |spec| {
            let parents = json!([{"name": "public"}]);
            spec["api"]["httpRoute"] = json!({"parentRefs": parents, "hostnames": ["a..b"]});
        },
    ),
    (
        "a peer names ipBlock, or namespaceSelector, podSelector or both",
        |spec| spec["api"]["network"] = json!({"from": [{}]}),
    ),
    (
        "a peer names ipBlock, or namespaceSelector, podSelector or both",
        |spec| {
            let both = json!({"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}});
            spec["api"]["network"] = json!({"from": [both]});
        },
    ),
    (
        "cidr must be a range of addresses such as 10.0.0.0/8",
        |spec| spec["api"]["network"] = json!({"from": [{"ipBlock": {"cidr": "10.0.0.1"}}]}),
    ),
    (
        "spec.api.network.from in body should have at least 1 items",
        |spec| spec["api"]["network"] = json!({"from": []}),
    ),
    ("spec.api.httpRoute.parentRefs: Required value", |spec| {
        spec["api"]["httpRoute"] = json!({});
    }),
    ("In and NotIn need values, Gt and Lt need one", |spec| {
        let wrong = json!({"key": "disk", "operator": "In"});
        spec["api"]["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            {"nodeSelectorTerms": [{"matchExpressions": [wrong]}]}}});
    }),
    (
        "minDomains needs whenUnsatisfiable: DoNotSchedule",
        |spec| {
            spec["api"]["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "zone", "minDomains": 2,
            "whenUnsatisfiable": "ScheduleAnyway"}]);
        },
    ),
    ("memory must be a positive quantity such as 256Mi", |spec| {
        spec["api"]["resources"] = json!({"limits": {"memory": "much"}});
    }),
    (
        "cpu must be a positive quantity such as 500m or 2",
        |spec| {
            spec["api"]["resources"] = json!({"requests": {"cpu": "0"}});
        },
    ),
    ("limits.memory must be at least 96Mi", |spec| {
        spec["api"]["resources"] = json!({"limits": {"memory": "95Mi"}});
    }),
    ("requests.memory must not exceed limits.memory", |spec| {
        spec["api"]["resources"] =
            json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}});
    }),
    ("requests.cpu must not exceed limits.cpu", |spec| {
        spec["telemetry"]["collector"] =
            json!({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}});
    }),
    (
        "endpoint must be a URL such as http://gateway.observability:4317",
        |spec| {
            spec["telemetry"]["endpoint"] = json!("gateway:4317");
        },
    ),
    ("with a port and without a path", |spec| {
        spec["telemetry"]["endpoint"] = json!("https://gateway.example.com");
    }),
    ("with a port and without a path", |spec| {
        spec["telemetry"]["endpoint"] = json!("https://gateway.example.com:4317/v1");
    }),
    ("tls needs an endpoint that starts with https://", |spec| {
        spec["telemetry"]["endpoint"] = json!("http://gateway:4317");
        spec["telemetry"]["tls"] = json!({"caSecretRef": {"name": "ca"}});
    }),
    (
        "tls names caSecretRef, certificateSecretRef, serverName or several of them",
        |spec| {
            spec["telemetry"]["endpoint"] = json!("https://gateway:4317");
            spec["telemetry"]["tls"] = json!({});
        },
    ),
    (
        "serverName must be the name of a host, such as gateway.example.com",
        |spec| {
            spec["telemetry"]["endpoint"] = json!("https://gateway:4317");
            spec["telemetry"]["tls"] = json!({"serverName": "${env:HOME}"});
        },
    ),
    ("ratio must be a number from 0 to 1", |spec| {
        spec["telemetry"]["sampling"] = json!({"ratio": "1.5"});
    }),
    ("ratio must be a number from 0 to 1", |spec| {
        spec["telemetry"]["sampling"] = json!({"ratio": "10%"});
    }),
    // What the engine cannot read, it says itself.
    ("missing closing ]", |spec| {
        spec["telemetry"]["redaction"] = json!({"patterns": ["fine", "[a-z"]});
    }),
    ("invalid or unsupported Perl syntax", |spec| {
        spec["telemetry"]["redaction"] = json!({"patterns": ["(?=lookahead)"]});
    }),
    ("that does not match the empty text", |spec| {
        spec["telemetry"]["redaction"] = json!({"patterns": ["a*"]});
    }),
    (
        "a pattern must be one line, without control characters",
        |spec| {
            spec["telemetry"]["redaction"] = json!({"patterns": ["a\nb"]});
        },
    ),
    ("must have at most 16 items", |spec| {
        spec["telemetry"]["redaction"] = json!({"patterns": vec!["a"; 17]});
    }),
    (
        "openai is needed with the mode OpenAI, and has no meaning with any other",
        |spec| spec["workloads"]["documents"]["summarizer"] = json!({"mode": "OpenAI"}),
    ),
    (
        "openai is needed with the mode OpenAI, and has no meaning with any other",
        |spec| {
            spec["workloads"]["documents"]["summarizer"] =
                json!({"openai": openai("https://s/v1", "30s")})
        },
    ),
    (
        "url must be a URL such as https://api.openai.com/v1",
        |spec| {
            let openai = openai("ftp://s", "30s");
            spec["workloads"]["documents"]["summarizer"] =
                json!({"mode": "OpenAI", "openai": openai});
        },
    ),
    (
        "timeout must be a whole number of seconds such as 30s, at most 999s",
        |spec| {
            let openai = openai("https://s/v1", "1m");
            spec["workloads"]["documents"]["summarizer"] =
                json!({"mode": "OpenAI", "openai": openai});
        },
    ),
];

/// Changes that are accepted: the other side of the bounds above.
const ACCEPTED: &[Change] = &[
    |spec| spec["clients"] = json!([{"name": "a".repeat(63)}, {"name": "0"}]),
    |spec| spec["clients"] = (0..100).map(|n| json!({"name": format!("c{n}")})).collect(),
    |spec| {
        let quota = json!({"documents": 100_000, "storage": "10Gi"});
        spec["clients"] = json!([{"name": "a", "quota": quota, "retention": {"days": 3650}}])
    },
    |spec| {
        let quota = json!({"documents": 100_000, "storage": "10Gi"});
        spec["workloads"]["documents"]["quota"] = quota;
        spec["workloads"]["documents"]["retention"] = json!({"days": 36_500});
    },
    |spec| spec["paused"] = json!(true),
    |spec| {
        spec["objectives"] = json!([{"name": "a", "target": "99", "workload": "documents"}]);
    },
    |spec| {
        spec["api"]["nodeSelector"] = json!({"disk": "fast"});
        spec["api"]["tolerations"] = json!([{"operator": "Exists"}, {"key": "spot", "value": "yes", "effect": "NoSchedule"}]);
    },
    |spec| spec["credentials"] = json!({"rotation": "30d", "apiKeyRotation": "9999h"}),
    |spec| spec["database"]["deletionPolicy"] = json!("Delete"),
    |spec| {
        spec["workloads"]["documents"]["storage"]["s3"]["endpoint"] =
            json!("https://s3.example.com:9000/path")
    },
    |spec| spec["workloads"]["documents"]["storage"]["s3"]["bucket"] = json!("my.bucket-1"),
    |spec| spec["api"]["replicas"] = json!(50),
    |spec| {
        spec["api"] =
            json!({"autoscaling": {"maxReplicas": 50, "targetCPUUtilizationPercentage": 10_000}})
    },
    |spec| {
        spec["api"] = json!({"ingress": {"className": "nginx", "host": "*.example.com",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "0"}, "tlsSecretRef": {"name": "docs-tls"}}});
    },
    |spec| {
        let parent =
            json!({"name": "public", "namespace": "gateways", "sectionName": "https", "port": 443});
        spec["api"] =
            json!({"httpRoute": {"parentRefs": [parent], "hostnames": ["docs.example.com"]}});
    },
    |spec| {
        spec["api"]["affinity"] = json!({
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "disk", "operator": "Exists"}, {"key": "cores", "operator": "Gt", "values": ["4"]}]}]}},
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm":
                {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "batch"}}}}]},
        });
        spec["api"]["topologySpreadConstraints"] = json!([
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2},
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
        ]);
    },
    |spec| spec["api"]["topologySpreadConstraints"] = json!([]),
    |spec| spec["api"]["auth"] = json!({"mode": "None"}),
    |spec| {
        spec["api"]["auth"] = json!({"mode": "None", "allowExposed": true});
        spec["api"]["ingress"] = json!({"host": "a.example.com"});
    },
    |spec| {
        let jwt = json!({"issuer": "http://login", "audience": "docket", "allowHttp": true});
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt});
    },
    |spec| {
        let jwt = json!({"issuer": "http://login", "audience": "docket", "jwksUrl": "https://login/keys"});
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt});
    },
    |spec| {
        spec["telemetry"] = json!({"endpoint": "http://gateway:4317", "allowHttp": true,
            "headersSecretRef": {"name": "headers"}});
    },
    |spec| {
        let mut openai = openai("http://model/v1", "30s");
        openai["allowHttp"] = json!(true);
        spec["workloads"]["documents"]["summarizer"] = json!({"mode": "OpenAI", "openai": openai});
    },
    |spec| {
        let pods =
            json!({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "caller"}}});
        spec["api"]["network"] = json!({"from": [pods, {"ipBlock": {"cidr": "2001:db8::/32"}}]});
    },
    |spec| {
        spec["api"]["auth"] = json!({"issuer": {}});
        spec["credentials"] = json!({"signingKeyRotation": "90d"});
    },
    |spec| {
        let jwt = json!({"issuer": "https://login.example.com", "audience": "docket"});
        let issuer = json!({"url": "https://documents.example.com:8443", "tokenLifetime": "24h"});
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt, "issuer": issuer});
    },
    |spec| spec["workloads"]["documents"]["summarizer"] = json!({"mode": "None"}),
    |spec| {
        let openai = openai("https://api.example.com:8443/v1", "999s");
        spec["workloads"]["documents"]["summarizer"] = json!({"mode": "OpenAI", "openai": openai});
    },
    |spec| {
        let jwt = json!({"issuer": "https://login.example.com", "audience": "docket",
            "jwksUrl": "https://login.example.com/keys", "caSecretRef": {"name": "ca"}});
        spec["api"]["auth"] = json!({"mode": "Jwt", "jwt": jwt})
    },
    |spec| spec["api"]["rateLimit"] = json!({"requestsPerSecond": 1_000_000, "burst": 1}),
    |spec| {
        let types = json!([
            "application/pdf",
            "image/*",
            "application/vnd.oasis.opendocument.text"
        ]);
        spec["workloads"]["documents"]["uploads"] =
            json!({"maxSize": "64Gi", "acceptedTypes": types})
    },
    |spec| spec["api"]["tls"] = json!({"secretRef": {"name": "acme-tls"}}),
    |spec| {
        spec["api"]["resources"] =
            json!({"requests": {"memory": "512Mi"}, "limits": {"memory": "0.5Gi"}})
    },
    |spec| {
        let secret = |name: &str| json!({"name": name});
        spec["telemetry"] = json!({
            "endpoint": "https://gateway.example.com:4317", "headersSecretRef": secret("headers"),
            "tls": {"caSecretRef": secret("ca"), "certificateSecretRef": secret("own"), "serverName": "gateway"},
            "sampling": {"ratio": "0.0001"},
            "redaction": {"patterns": ["acme-[0-9]{6}$", "(?i)\\bproject [a-z]{1,1000}\\b", "x".repeat(256)]},
        });
    },
    |spec| {
        spec["telemetry"]["tls"] = json!({"certificateSecretRef": {"name": "own"}});
        spec["telemetry"]
            .as_object_mut()
            .unwrap()
            .remove("endpoint");
    },
    |spec| spec["telemetry"]["sampling"] = json!({"ratio": "1"}),
    |spec| spec["telemetry"]["endpoint"] = json!("https://[2001:db8::1]:443"),
    |spec| {
        spec.as_object_mut().unwrap().remove("telemetry");
    },
    |spec| {
        spec.as_object_mut().unwrap().remove("api");
    },
];

fn openai(url: &str, timeout: &str) -> Value {
    json!({"url": url, "model": "small", "secretRef": {"name": "summarizer"}, "timeout": timeout})
}

/// `kubectl apply` of a tenant, without keeping it: the object that would be stored, or what kubectl
/// says to the user.
fn apply(it: &Scenario, name: &str, spec: Value) -> Result<Value, String> {
    let object = json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant", "metadata": {"name": name}, "spec": spec,
    });
    let text = |error: std::io::Error| error.to_string();
    let mut kubectl = Command::new("kubectl")
        .args(["apply", "--dry-run=server", "--output=json", "--filename=-"])
        .args(["--namespace", &it.namespace])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let mut input = kubectl.stdin.take().ok_or("no standard input")?;
    input
        .write_all(object.to_string().as_bytes())
        .map_err(text)?;
    drop(input);
    let output = kubectl.wait_with_output().map_err(text)?;
    if output.status.success() {
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_at_apply_with_a_sentence() {
    scenario(async |it| {
        let mut wrong = Vec::new();
        for (sentence, change) in REFUSED {
            let mut spec = it.spec(&["globex"]);
            change(&mut spec);
            match apply(it, TENANT, spec) {
                Err(answer) if answer.contains(sentence) => {}
                answer => wrong.push(format!("{sentence}: {answer:?}")),
            }
        }
        for name in ["Acme", "acme.example", "1acme", "acme-", &"a".repeat(41)] {
            let answer = apply(it, name, it.spec(&["globex"]));
            if !matches!(&answer, Err(text) if text.contains("lower-case") || text.contains("lowercase")) {
                wrong.push(format!("the name {name}: {answer:?}"));
            }
        }
        let misspelt = {
            let mut spec = it.spec(&["globex"]);
            spec["replicas"] = json!(3);
            apply(it, TENANT, spec)
        };
        if !matches!(&misspelt, Err(text) if text.contains("replicas")) {
            wrong.push(format!("an unknown field: {misspelt:?}"));
        }
        ensure!(wrong.is_empty(), "{wrong:#?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_is_right_is_accepted_up_to_the_bounds() {
    scenario(async |it| {
        for (number, change) in ACCEPTED.iter().enumerate() {
            let mut spec = it.spec(&["globex"]);
            change(&mut spec);
            let answer = apply(it, TENANT, spec);
            ensure!(answer.is_ok(), "number {number}: {answer:?}");
        }
        ensure!(apply(it, &"a".repeat(40), it.spec(&["globex"])).is_ok());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn defaults_are_in_the_schema() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec.as_object_mut().unwrap().remove("api");
        let stored = apply(it, TENANT, spec).map_err(anyhow::Error::msg)?;
        ensure!(
            stored["spec"]["api"]["auth"]["mode"] == "ApiKey",
            "{stored}"
        );
        let documents = &stored["spec"]["workloads"]["documents"];
        ensure!(
            documents["summarizer"]["mode"] == "Extractive",
            "{documents}"
        );
        ensure!(documents["uploads"]["maxSize"] == "5Gi", "{documents}");
        ensure!(documents["retention"]["days"] == 30, "{documents}");
        ensure!(
            stored["spec"]["database"]["deletionPolicy"] == "Retain",
            "{stored}"
        );
        let client = &stored["spec"]["clients"][0];
        ensure!(client["adopt"] == false, "{client}");
        ensure!(
            client["retention"].is_null(),
            "it would hide that of all: {client}"
        );
        let api = &stored["spec"]["api"];
        ensure!(api["rateLimit"]["requestsPerSecond"] == 1000, "{api}");
        ensure!(
            api["replicas"].is_null(),
            "it would exclude autoscaling: {api}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_bucket_cannot_be_changed_and_the_rest_can() {
    scenario(async |it| {
        // A tenant that waits for a Secret is enough, and costs no pods.
        let mut spec = it.spec(&["globex"]);
        spec["database"]["secretRef"]["name"] = json!("forgotten");
        let object = tenant(TENANT, spec)?;
        it.objects.api::<DocumentTenant>().create(&PostParams::default(), &object).await?;
        let change = json!({"spec": {"workloads": {"documents": {"storage": {"s3": {"bucket": "another"}}}}}});
        let answer = it.objects.merge::<DocumentTenant>(TENANT, change).await;
        let refusal = answer.err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(refusal.contains("the bucket is immutable"), "{refusal}");
        let change = json!({"spec": {"api": {"replicas": 3},
            "workloads": {"documents": {"storage": {"s3": {"endpoint": "http://other"}}}}}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        Ok(())
    })
    .await;
}
