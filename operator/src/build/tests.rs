use std::num::NonZeroU32;

use docket_contract::{
    CONFIG_FILE, OpenAi, OwnIssuer, SIGNING_KEYS_FILE, Summarizer, TenantConfig, Tls, hash_api_key,
};
use docket_objectives::{Indicator, Objective, Window};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::credentials::api_keys::{PublishableKey, RotatingKey};
use crate::credentials::ed25519::PrivateKey;
use crate::credentials::rotation::Rotated;
use crate::credentials::signing_keys::SigningKeys;
use crate::validated_tenant::ValidatedIssuer;
use crate::validated_tenant::example::acme;
use crate::validated_tenant::{Documents, Monitoring, Publication};

/// The children of a tenant that has one component, in a row.
struct Children {
    api_config: Secret,
    collector_config: ConfigMap,
    service_account: ServiceAccount,
    service: Service,
    network_policy: NetworkPolicy,
    pod_disruption_budget: PodDisruptionBudget,
    ingress: Option<Ingress>,
    http_route: Option<HttpRoute>,
    prometheus_rule: Option<PrometheusRule>,
    pod_monitor: Option<PodMonitor>,
    deployment: Deployment,
    horizontal_pod_autoscaler: Option<HorizontalPodAutoscaler>,
}

fn children(wanted: &ValidatedTenant) -> Children {
    let mut all = super::children(wanted);
    let api = all.components.pop().expect("a component");
    assert!(all.components.is_empty());
    Children {
        api_config: all.config,
        collector_config: all.collector_config,
        service_account: all.service_account,
        service: api.service.expect("a Service"),
        network_policy: api.network_policy.expect("a NetworkPolicy"),
        pod_disruption_budget: api.pod_disruption_budget.expect("a budget"),
        ingress: all.ingress,
        http_route: all.http_route,
        prometheus_rule: all.prometheus_rule,
        pod_monitor: api.pod_monitor,
        deployment: api.deployment.expect("a Deployment"),
        horizontal_pod_autoscaler: api.horizontal_pod_autoscaler,
    }
}

fn template_hash(wanted: &ValidatedTenant) -> String {
    let template = children(wanted).deployment.spec.expect("a spec").template;
    template
        .metadata
        .expect("metadata")
        .annotations
        .expect("annotations")[docket_crds::annotations::CONFIG_HASH]
        .clone()
}

#[test]
fn secrets_are_as_they_were() {
    let Secrets {
        credentials,
        api_keys,
        signing_keys,
    } = secrets(&acme());
    assert!(signing_keys.is_none());
    insta::assert_yaml_snapshot!("credentials", credentials);
    insta::assert_yaml_snapshot!("api_keys", api_keys);
}

/// With a workload that pages call, at the root too, in the middle of a rotation.
fn publishing(mut wanted: ValidatedTenant) -> ValidatedTenant {
    let publication = Publication {
        workload: "orders",
        scope: "orders:write",
        origins: vec!["https://www.globex.example".into()],
    };
    for client in &mut wanted.clients {
        let key = RotatingKey {
            issued: Some(format!("pk_key of {}", client.name).into()),
            upcoming: Some(format!("pk_next key of {}", client.name).into()),
            previous: None,
        };
        client.keys.publishable.push(PublishableKey {
            publication: publication.clone(),
            key,
        });
    }
    wanted.workloads.publications.push(publication);
    wanted.workloads.root_prefixes.push("/api/v2");
    wanted
}

/// With keys of which `upcoming` is published beside the one that signs.
fn with_issuer(upcoming: Option<u8>) -> ValidatedTenant {
    let key = |number| PrivateKey::from_seed([number; 32]);
    let mut wanted = acme();
    wanted.auth.issuer = Some(OwnIssuer {
        url: "https://documents.example.com".into(),
        token_lifetime_seconds: NonZeroU32::MIN,
    });
    wanted.issuer = Some(ValidatedIssuer {
        keys: SigningKeys {
            current: key(1),
            upcoming: upcoming.map(key),
            previous: Some(key(3).public),
        },
        rotated: Some(Rotated {
            at: "2026-11-28T12:00:00Z".parse().expect("a time"),
            asked: Some("now".into()),
            revoked: None,
        }),
    });
    wanted
}

#[test]
fn publishable_keys_stand_beside_those_of_clients_and_servers_know_their_hashes() {
    let wanted = publishing(acme());
    let entries = secrets(&wanted).api_keys.data.expect("entries");
    let of_globex = entries
        .iter()
        .filter(|(name, _)| name.starts_with("globex"));
    let of_globex: Vec<_> = of_globex
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(&value.0)))
        .collect();
    assert_eq!(
        of_globex,
        [
            ("globex", "key of globex".into()),
            ("globex.publishable.orders", "pk_key of globex".into()),
            (
                "globex.publishable.orders.upcoming",
                "pk_next key of globex".into()
            ),
        ]
    );
    let file = &children(&wanted).api_config.data.expect("entries")[CONFIG_FILE];
    let config: TenantConfig = serde_json::from_slice(&file.0).expect("a configuration");
    let mut expected =
        ["pk_key of globex", "pk_next key of globex"].map(|key| docket_contract::PublishableKey {
            hash: hash_api_key(key),
            scope: "orders:write".into(),
            origins: vec!["https://www.globex.example".into()],
        });
    expected.sort_by(|a, b| a.hash.0.cmp(&b.hash.0));
    assert_eq!(config.clients[0].publishable_keys, expected);
    assert_eq!(
        config.clients[0].api_key_hashes,
        [hash_api_key("key of globex")]
    );
}

#[test]
fn of_the_keys_of_an_issuer_pods_get_the_one_that_signs_and_the_public_halves() {
    let wanted = with_issuer(Some(2));
    insta::assert_yaml_snapshot!("signing_keys", secrets(&wanted).signing_keys);
    let files = children(&wanted).api_config.data.expect("files");
    let file: serde_json::Value =
        serde_json::from_slice(&files[SIGNING_KEYS_FILE].0).expect("JSON");
    insta::assert_yaml_snapshot!("signing_keys_file", file);
    for upcoming in [2_u8, 3] {
        let seed = PrivateKey::from_seed([upcoming; 32]).pem;
        assert!(
            !file
                .to_string()
                .contains(seed.expose_secret().lines().nth(1).expect("base64"))
        );
    }
}

#[test]
fn pods_read_the_keys_of_an_issuer_without_being_replaced() {
    let mounted = |wanted: &ValidatedTenant| {
        let template = children(wanted).deployment.spec.expect("a spec").template;
        let volumes = template.spec.expect("a pod").volumes.expect("volumes");
        let config = volumes.into_iter().find(|volume| volume.name == "config");
        let items = config
            .and_then(|volume| volume.secret?.items)
            .expect("items");
        items.iter().any(|item| item.key == SIGNING_KEYS_FILE)
    };
    assert!(mounted(&with_issuer(None)) && !mounted(&acme()));
    let hashes = [Some(2), None].map(|upcoming| template_hash(&with_issuer(upcoming)));
    assert_eq!(hashes[0], hashes[1]);
    assert_ne!(
        hashes[0],
        template_hash(&acme()),
        "that there is an issuer is read at the start"
    );
}

#[test]
fn gateways_lead_to_the_root_routes_of_workloads() {
    let asked = docket_crds::Ingress {
        class_name: None,
        host: "acme.example.com".into(),
        annotations: BTreeMap::new(),
        tls_secret_ref: None,
    };
    let wanted = ValidatedTenant {
        ingress: Some(asked),
        http_route: Some(docket_crds::HttpRoute {
            parent_refs: Vec::new(),
            hostnames: Vec::new(),
        }),
        ..publishing(acme())
    };
    let Children {
        ingress,
        http_route,
        ..
    } = children(&wanted);
    let rules = ingress.and_then(|it| it.spec?.rules).expect("rules");
    let paths = rules[0].http.as_ref().expect("paths").paths.iter();
    let paths: Vec<_> = paths
        .map(|it| (&*it.path_type, it.path.as_deref()))
        .collect();
    assert!(paths.contains(&("Prefix", Some("/api/v2"))), "{paths:?}");
    let rules = http_route.expect("a route").spec.rules;
    let matches = rules[0].matches.iter();
    let matches: Vec<_> = matches
        .map(|it| (&*it.path.type_, &*it.path.value))
        .collect();
    assert!(matches.contains(&("PathPrefix", "/api/v2")), "{matches:?}");
}

#[test]
fn what_an_issuer_publishes_and_where_it_hands_out_tokens_is_public() {
    let asked = docket_crds::Ingress {
        class_name: None,
        host: "documents.example.com".into(),
        annotations: BTreeMap::new(),
        tls_secret_ref: None,
    };
    let paths = |wanted: ValidatedTenant| {
        let ingress = Some(asked.clone());
        let ingress = children(&ValidatedTenant { ingress, ..wanted }).ingress;
        let rules = ingress
            .and_then(|ingress| ingress.spec?.rules)
            .expect("rules");
        let paths = rules
            .into_iter()
            .filter_map(|rule| rule.http)
            .flat_map(|http| http.paths);
        paths.filter_map(|path| path.path).collect::<Vec<_>>()
    };
    let without = paths(acme());
    let with = paths(with_issuer(None));
    assert_eq!(with[without.len()..], ["/.well-known", "/oauth2/token"]);
}

#[test]
fn children_are_as_they_were() {
    let Children {
        api_config,
        collector_config,
        service_account,
        service,
        network_policy,
        pod_disruption_budget,
        ingress,
        http_route,
        prometheus_rule,
        pod_monitor,
        deployment,
        horizontal_pod_autoscaler,
    } = children(&acme());
    insta::assert_yaml_snapshot!("api_config", api_config);
    insta::assert_yaml_snapshot!("collector_config", collector_config);
    insta::assert_yaml_snapshot!("service_account", service_account);
    insta::assert_yaml_snapshot!("service", service);
    insta::assert_yaml_snapshot!("network_policy", network_policy);
    insta::assert_yaml_snapshot!("pod_disruption_budget", pod_disruption_budget);
    insta::assert_yaml_snapshot!("deployment", deployment);
    assert!(ingress.is_none() && http_route.is_none() && horizontal_pod_autoscaler.is_none());
    assert!(prometheus_rule.is_none() && pod_monitor.is_none());
}

#[test]
fn an_autoscaler_follows_the_api_container_and_has_the_number_of_pods_to_itself() {
    let wanted = ValidatedTenant {
        autoscaling: Some(docket_crds::Autoscaling {
            min_replicas: 2,
            max_replicas: 7,
            target_cpu_utilization_percentage: 80,
        }),
        ..acme()
    };
    let children = children(&wanted);
    insta::assert_yaml_snapshot!(
        "horizontal_pod_autoscaler",
        children.horizontal_pod_autoscaler
    );
    assert_eq!(children.deployment.spec.expect("a spec").replicas, None);
}

#[test]
fn an_ingress_has_the_public_paths_and_no_other() {
    let mut asked = docket_crds::Ingress {
        class_name: Some("nginx".into()),
        host: "documents.example.com".into(),
        annotations: [("cert-manager.io/cluster-issuer".to_owned(), "le".to_owned())].into(),
        tls_secret_ref: Some(docket_crds::SecretReference {
            name: "documents-tls".into(),
        }),
    };
    let ingress = |asked: &docket_crds::Ingress, wanted: ValidatedTenant| {
        let ingress = Some(asked.clone());
        children(&ValidatedTenant { ingress, ..wanted }).ingress
    };
    insta::assert_yaml_snapshot!("ingress", ingress(&asked, acme()));
    asked.class_name = None;
    asked.annotations.clear();
    asked.tls_secret_ref = None;
    insta::assert_yaml_snapshot!("ingress_to_https", ingress(&asked, with_certificate()));
}

#[test]
fn an_http_route_has_the_public_paths_and_no_other() {
    let parent = docket_crds::ParentReference {
        name: "public".into(),
        namespace: Some("gateways".into()),
        section_name: Some("https".into()),
        port: None,
    };
    let wanted = ValidatedTenant {
        http_route: Some(docket_crds::HttpRoute {
            parent_refs: vec![parent],
            hostnames: vec!["documents.example.com".into()],
        }),
        ..acme()
    };
    insta::assert_yaml_snapshot!("http_route", children(&wanted).http_route);
}

/// In a cluster with the Prometheus operator.
fn monitored(wanted: ValidatedTenant) -> ValidatedTenant {
    let monitoring = Monitoring {
        links: Links {
            runbooks: Some("https://docket.test/runbooks".into()),
            dashboards: Some("https://grafana.test".into()),
        },
        labels: [("release".to_owned(), "prometheus".to_owned())].into(),
        prometheus_rules: true,
        pod_monitors: true,
    };
    ValidatedTenant {
        monitoring,
        ..wanted
    }
}

#[test]
fn the_prometheus_operator_gets_all_rules_of_a_tenant() {
    let objective = Objective {
        namespace: "acme".into(),
        tenant: "acme".into(),
        name: "availability".into(),
        target: "99.9".parse().expect("a target"),
        workload: None,
        indicator: Indicator::Availability,
        window: Window::days(30),
    };
    let mut wanted = monitored(acme());
    wanted.watched.objectives.push(objective);
    wanted.watched.least_traffic = Some(100);
    insta::assert_yaml_snapshot!("prometheus_rule", children(&wanted).prometheus_rule);
}

#[test]
fn the_prometheus_operator_finds_the_pods_however_they_are_served() {
    let of = |wanted: ValidatedTenant| children(&monitored(wanted)).pod_monitor;
    insta::assert_yaml_snapshot!("pod_monitor", of(acme()));
    insta::assert_yaml_snapshot!("pod_monitor_of_https", of(with_certificate()));
}

/// The ports that `peers` may connect to, or everybody where there are none.
fn ports_from(wanted: &ValidatedTenant, peers: Option<&Value>) -> Vec<i64> {
    let policy = children(wanted).network_policy.spec.expect("a spec");
    let rules = policy.ingress.into_iter().flatten();
    let rules = rules.map(|rule| serde_json::to_value(rule).expect("it serializes"));
    let mut ports: Vec<i64> = rules
        .filter(|rule| rule.get("from") == peers)
        .flat_map(|rule| rule["ports"].as_array().cloned().expect("ports"))
        .filter_map(|port| port["port"].as_i64())
        .collect();
    ports.sort_unstable();
    ports
}

#[test]
fn callers_reach_the_api_the_namespace_its_data_store_and_a_prometheus_the_metrics() {
    let own_namespace = json!([{"podSelector": {}}]);
    let monitoring = json!([{"namespaceSelector":
        {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]);
    let mut wanted = acme();
    assert_eq!(ports_from(&wanted, None), [0_i64; 0]);
    assert_eq!(ports_from(&wanted, Some(&own_namespace)), [8000, 8001]);
    assert_eq!(ports_from(&wanted, Some(&monitoring)), [8002, 8888]);

    wanted.network.callers = None;
    assert_eq!(ports_from(&wanted, None), [8000]);
    assert_eq!(ports_from(&wanted, Some(&own_namespace)), [8001]);
}

#[test]
fn metrics_are_for_nobody_until_it_is_said_who_scrapes_them() {
    let mut wanted = acme();
    wanted.network.scrapers.clear();
    let policy = children(&wanted).network_policy.spec.expect("a spec");
    let ports = policy.ingress.into_iter().flatten();
    let ports: Vec<_> = ports.flat_map(|rule| rule.ports.expect("ports")).collect();
    assert!(!ports.is_empty());
    for of_metrics in [8002, 8888] {
        let of_metrics = Some(IntOrString::Int(of_metrics));
        assert!(ports.iter().all(|port| port.port != of_metrics));
    }
}

#[test]
fn pods_are_kept_from_credentials_of_machines_and_from_the_api_server_and_from_nothing_else() {
    let mut wanted = acme();
    let server = |address: &str| address.parse().expect("an address");
    wanted.network.api_server = Some(vec![server("[fd00::1]:443"), server("10.0.0.1:65535")]);
    let policy = children(&wanted).network_policy.spec.expect("a spec");
    let egress = serde_json::to_value(policy.egress).expect("it serializes");
    assert!(egress[0].get("ports").is_none(), "{egress}");
    assert_eq!(egress[0]["to"][0], json!({"namespaceSelector": {}}));
    let left_out = |range: usize| egress[0]["to"][range]["ipBlock"]["except"].to_string();
    for (range, address) in [
        (1, "169.254.169.254/32"),
        (1, "10.0.0.1/32"),
        (2, "fd00::1/128"),
        (2, "fd00:ec2::254/128"),
    ] {
        assert!(left_out(range).contains(address), "{address}: {egress}");
    }
    let ports = |rule: usize| egress[rule]["ports"].clone();
    let range = |protocol: &str, from: u16, to: u16| json!({"protocol": protocol, "port": from, "endPort": to});
    let udp = range("UDP", 1, 65535);
    assert_eq!(
        ports(1),
        json!([range("TCP", 1, 442), range("TCP", 444, 65535), udp])
    );
    assert_eq!(ports(2), json!([range("TCP", 1, 65534), udp]));

    wanted.network.api_server = None;
    let policy = children(&wanted).network_policy.spec.expect("a spec");
    assert_eq!(policy.policy_types, Some(vec!["Ingress".to_owned()]));
    assert_eq!(policy.egress, None);
}

fn with_certificate() -> ValidatedTenant {
    ValidatedTenant {
        tls: Some(Tls {
            certificate: "certificate".into(),
            key: "key".into(),
        }),
        ..acme()
    }
}

#[test]
fn with_a_certificate_the_service_speaks_https_and_the_probes_have_a_port_without_one() {
    let Children {
        service,
        deployment,
        ..
    } = children(&with_certificate());
    let ports = service.spec.expect("a spec").ports.expect("ports");
    let ports: Vec<_> = ports
        .iter()
        .map(|port| {
            (
                port.name.as_deref(),
                port.port,
                port.app_protocol.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        ports,
        [
            (Some("https"), 443, Some("https")),
            (Some("data-store"), 8001, Some("https"))
        ]
    );
    let pod = deployment
        .spec
        .expect("a spec")
        .template
        .spec
        .expect("a pod");
    let api = &pod.containers[0];
    for probe in [
        &api.startup_probe,
        &api.readiness_probe,
        &api.liveness_probe,
    ] {
        let get = probe.as_ref().and_then(|probe| probe.http_get.as_ref());
        let get = get.expect("a probe");
        assert_eq!(get.scheme, None);
        assert_eq!(get.port, IntOrString::Int(8002), "callers cannot fill it");
    }
}

#[test]
fn pods_are_replaced_when_what_they_read_at_their_start_changes() {
    let before = template_hash(&acme());
    type Change = (&'static str, fn(&mut ValidatedTenant));
    let changes: [Change; 15] = [
        ("a password", |wanted| {
            wanted.clients[0].password = "other".into()
        }),
        ("an API key", |wanted| {
            wanted.clients[0].keys.own.issued = Some("other".into())
        }),
        ("a further API key", |wanted| {
            wanted.clients[0].keys.further.push("next".into())
        }),
        ("a publishable key", |wanted| {
            *wanted = publishing(wanted.clone());
        }),
        ("whose pages may use one", |wanted| {
            *wanted = publishing(wanted.clone());
            let publishable = &mut wanted.clients[0].keys.publishable[0];
            publishable.publication.origins.clear();
        }),
        ("the bucket's credentials", |wanted| {
            documents(wanted).storage_secret_hash = "other".into()
        }),
        ("the certificate", |wanted| {
            wanted.tls = with_certificate().tls
        }),
        ("the limit of uploads", |wanted| {
            documents(wanted).uploads.max_bytes = Some(1)
        }),
        ("the key of the summarizer", |wanted| {
            documents(wanted).summarizer = Summarizer::OpenAI(OpenAi {
                url: "https://api.example.com/v1".into(),
                model: "small".into(),
                api_key: "other".into(),
                timeout_ms: 30_000,
            })
        }),
        ("the workloads", |wanted| wanted.workloads.documents = None),
        ("the telemetry endpoint", |wanted| {
            wanted.telemetry.endpoint = None
        }),
        ("the authorities of the telemetry endpoint", |wanted| {
            wanted.telemetry.authorities = Some("other".into())
        }),
        ("the certificate that collectors show", |wanted| {
            wanted.telemetry.certificate = with_certificate().tls
        }),
        ("a header of the telemetry", |wanted| {
            wanted.telemetry.headers = headers("other")
        }),
        ("a pattern of redaction", |wanted| {
            wanted.telemetry.redacted = vec!["other".into()]
        }),
    ];
    for (what, change) in changes {
        let mut wanted = acme();
        change(&mut wanted);
        assert_ne!(template_hash(&wanted), before, "{what}");
    }
}

fn documents(wanted: &mut ValidatedTenant) -> &mut Documents {
    let documents = wanted.workloads.documents.as_mut();
    documents.expect("acme has documents")
}

#[test]
fn a_tenant_without_documents_names_no_bucket_and_no_key_to_one() {
    let mut wanted = acme();
    wanted.workloads.documents = None;
    let Children {
        api_config,
        deployment,
        ..
    } = children(&wanted);
    let files = api_config.data.expect("files");
    let config: TenantConfig = serde_json::from_slice(&files[CONFIG_FILE].0).expect("a file");
    assert!(config.workloads.documents.is_none());
    let pods = serde_json::to_string(&deployment).expect("it serializes");
    assert!(
        !pods.contains("AWS_") && !pods.contains("docket-s3"),
        "{pods}"
    );
    let with = serde_json::to_string(&children(&acme()).deployment).expect("it serializes");
    assert!(with.contains("AWS_ACCESS_KEY_ID") && with.contains("docket-s3"));
    assert!(wanted.workloads.content().is_none() && acme().workloads.content().is_some());
}

fn headers(token: &str) -> crate::credentials::headers::Headers {
    [("authorization".to_owned(), token.into())].into()
}

#[test]
fn what_collectors_keep_secret_is_for_their_container_only() {
    let mut wanted = with_certificate();
    wanted.telemetry.certificate = wanted.tls.take();
    wanted.telemetry.headers = headers("Bearer 4711$");
    let Children {
        api_config,
        collector_config,
        deployment,
        ..
    } = children(&wanted);
    let file = &api_config.data.expect("files")["collector.yaml"].0;
    insta::assert_snapshot!("collector_secrets", String::from_utf8_lossy(file));
    let config = &collector_config.data.expect("files")["config.yaml"];
    assert!(
        !config.contains("4711") && !config.contains("key_pem"),
        "{config}"
    );
    let pod = deployment.spec.expect("a spec").template.spec;
    let pod = pod.expect("a pod");
    let collector = &pod.init_containers.expect("a sidecar")[0];
    insta::assert_yaml_snapshot!(
        "pod_with_collector_secrets",
        (&pod.volumes, &collector.args, &collector.volume_mounts)
    );
    let mounts = pod.containers[0].volume_mounts.iter().flatten();
    let names: Vec<&str> = mounts.map(|mount| &*mount.name).collect();
    assert_eq!(names, ["config", "tmp"]);
}

#[test]
fn a_ratio_of_traces_is_told_to_the_api_and_a_default_is_not() {
    let told = |wanted: &ValidatedTenant| -> Vec<(String, Option<String>)> {
        let pod = children(wanted).deployment.spec.expect("a spec").template;
        let env = pod.spec.expect("a pod").containers.remove(0).env;
        let of_sampler = env.into_iter().flatten();
        of_sampler
            .filter(|variable| variable.name.starts_with("OTEL_TRACES"))
            .map(|variable| (variable.name, variable.value))
            .collect()
    };
    assert_eq!(told(&acme()), []);
    let mut wanted = acme();
    wanted.telemetry.sampling_ratio = Some("0.25".into());
    assert_eq!(
        told(&wanted),
        [
            (
                "OTEL_TRACES_SAMPLER".into(),
                Some("parentbased_traceidratio".into())
            ),
            ("OTEL_TRACES_SAMPLER_ARG".into(), Some("0.25".into())),
        ]
    );
}

#[test]
fn pods_stay_when_nothing_that_they_read_changes() {
    type Change = (&'static str, fn(&mut ValidatedTenant));
    let changes: [Change; 4] = [
        ("the number of pods", |wanted| wanted.replicas = 5),
        ("a quota", |wanted| {
            wanted.clients[0].limits.documents.quota.bytes = Some(1)
        }),
        ("a retention", |wanted| {
            wanted.clients[0].limits.documents.retention_days = 1
        }),
        ("the rate limit", |wanted| {
            wanted.rate_limit.burst = wanted.rate_limit.burst.saturating_add(7)
        }),
    ];
    for (what, change) in changes {
        let mut wanted = acme();
        change(&mut wanted);
        let (before, after) = (children(&acme()), children(&wanted));
        let template = |children: &Children| children.deployment.spec.clone().map(|it| it.template);
        assert_eq!(template(&before), template(&after), "{what}");
        assert_ne!(before.api_config, after.api_config, "{what}");
    }
}

#[test]
fn what_clients_may_do_is_in_a_file_of_its_own() {
    let data = children(&acme()).api_config.data.expect("entries");
    let limits: serde_json::Value = serde_json::from_slice(&data["limits.json"].0).expect("JSON");
    insta::assert_json_snapshot!("limits", limits);
    let volumes = pod(&acme()).volumes.expect("volumes");
    let config = volumes.iter().find(|volume| volume.name == "config");
    let secret = config.and_then(|volume| volume.secret.as_ref());
    let items = secret.and_then(|secret| secret.items.as_ref());
    let seen = items.expect("entries").iter().map(|item| &*item.key);
    assert_eq!(
        seen.collect::<Vec<_>>(),
        ["tenant.json", "limits.json", "replicas"]
    );
}

#[test]
fn pods_run_where_the_spec_allows() {
    let mut wanted = acme();
    wanted.node_selector = [("disk".to_owned(), "fast".to_owned())].into();
    wanted.tolerations = vec![
        docket_crds::Toleration {
            operator: docket_crds::TolerationOperator::Exists,
            effect: Some(docket_crds::TaintEffect::NoExecute),
            ..docket_crds::Toleration::default()
        },
        docket_crds::Toleration {
            key: Some("spot".into()),
            value: Some("yes".into()),
            ..docket_crds::Toleration::default()
        },
    ];
    let pod = children(&wanted)
        .deployment
        .spec
        .expect("a spec")
        .template
        .spec;
    let pod = pod.expect("a pod");
    insta::assert_yaml_snapshot!("scheduling", (pod.node_selector, pod.tolerations));
}

fn pod(wanted: &ValidatedTenant) -> k8s_openapi::api::core::v1::PodSpec {
    let spec = children(wanted).deployment.spec.expect("a spec");
    spec.template.spec.expect("a pod")
}

#[test]
fn an_affinity_is_passed_on_as_it_is() {
    let asked = serde_json::json!({
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]},
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 10, "preference":
                {"matchExpressions": [{"key": "gpu", "operator": "DoesNotExist"}]}}]},
        "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1,
            "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "cache"}}}}]},
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "batch"}}}]},
    });
    let wanted = ValidatedTenant {
        affinity: Some(serde_json::from_value(asked.clone()).expect("an affinity")),
        ..acme()
    };
    let passed = serde_json::to_value(pod(&wanted).affinity).expect("serializes");
    assert_eq!(passed, asked);
}

#[test]
fn pods_are_spread_as_the_spec_asks_or_not_at_all() {
    let spread = |asked: serde_json::Value| {
        pod(&ValidatedTenant {
            topology_spread: Some(serde_json::from_value(asked).expect("constraints")),
            ..acme()
        })
        .topology_spread_constraints
    };
    insta::assert_yaml_snapshot!(
        "topology_spread",
        spread(
            serde_json::json!([{"maxSkew": 2, "topologyKey": "rack", "minDomains": 3,
            "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor"}])
        )
    );
    assert_eq!(spread(serde_json::json!([])), Some(Vec::new()));
}
