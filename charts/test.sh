#!/usr/bin/env bash
# test.sh [--update]: the values that the charts refuse and accept, and the rights that they hand out.
set -euo pipefail
cd "$(dirname "$0")"

failures=0

fail() {
    echo "FAILED  $1"
    failures=$((failures + 1))
}

render() {
    local chart=$1
    shift
    helm template "$chart" "$chart" --namespace "$chart" --values "$chart/ci/local-values.yaml" "$@"
}

# refused CHART VALUE FIELD: the message names the field, so that a person finds it.
refused() {
    local message
    if message=$(render "$1" --set-json "$2" 2>&1); then
        fail "$1 accepts $2"
    elif [[ $message != *"$3"* ]]; then
        fail "$1 refuses $2 without a word about $3: $message"
    else
        echo "ok      $1 refuses $2"
    fi
}

# accepted CHART VALUE TEXT: what is rendered contains the text.
accepted() {
    local output
    if ! output=$(render "$1" --set-json "$2" 2>&1); then
        fail "$1 refuses $2: $output"
    elif [[ $output != *"$3"* ]]; then
        fail "$1 ignores $2: there is no $3"
    else
        echo "ok      $1 accepts $2"
    fi
}

refused docket 'image=""' /image
refused docket 'image="two words"' /image
refused docket 'apiServer.image=""' /apiServer/image
refused docket 'collector=null' collector
refused docket 'imagePullPolicy="Sometimes"' /imagePullPolicy
refused docket 'telemetry.endpoint="gateway:4317"' /telemetry/endpoint
refused docket 'telemetry.endpoint="https://otlp.example.com"' /telemetry/endpoint
refused docket 'metricsSource.url="prometheus:9090"' /metricsSource/url
refused docket 'metricsSource.caSecret="ca"' /metricsSource/caSecret
refused docket 'dashboards.enabled="yes"' /dashboards/enabled
refused docket 'dashboards.labels={"grafana_dashboard":1}' /dashboards/labels
refused docket 'logLevel="loud"' /logLevel
refused docket 'alerts.configMap="Rules"' /alerts/configMap
refused docket 'alerts.shards=0' /alerts/shards
refused docket 'alerts.runbooksUrl="docs/runbooks"' /alerts/runbooksUrl
refused docket 'watch.namespaces=["Acme"]' /watch/namespaces/0
refused docket 'watch.namespace="acme"' namespace
refused docket 'crds.install="no"' /crds/install
refused docket 'networkPolicy.scrapers=[{}]' /networkPolicy/scrapers/0
refused docket 'networkPolicy.gateways=[{"podSelector":{},"ipBlock":{"cidr":"10.0.0.0/8"}}]' /networkPolicy/gateways/0
refused docket 'networkPolicy.egress="None"' /networkPolicy/egress
refused docket 'tenants.allowedImages=["registry.example.com*"]' /tenants/allowedImages/0
refused docket 'tenants.allowedImages=["a,b"]' /tenants/allowedImages/0
refused docket 'tenants.allowedIngressAnnotations=["*.example.com/*"]' /tenants/allowedIngressAnnotations/0
refused docket 'tenants.allowedIngressClasses=["public/*"]' /tenants/allowedIngressClasses/0
refused docket 'tenants.images=["a"]' images
refused docket 'replicas=0' /replicas
refused docket 'replicas="two"' /replicas
refused docket 'resources.limits.memory=null' /resources/limits
refused docket 'resources.limits.memory="lots"' /resources/limits/memory
refused docket 'resources.limits.gpu=1' gpu
refused docket 'tolerations={"key":"a"}' /tolerations
refused docket 'nodeSelector.disk=1' /nodeSelector/disk
refused docket 'imagePullSecrets=["registry"]' /imagePullSecrets/0
refused docket 'replica=2' replica
refused docket-dev 'postgres.image=""' /postgres/image
refused docket-dev 'postgres.username="postgres"' /postgres/username
refused docket-dev 'postgres.database="Docket\"; DROP"' /postgres/database
refused docket-dev 'postgres.maxConnections=1' /postgres/maxConnections
refused docket-dev 'postgres.storage.size="0"' /postgres/storage/size
refused docket-dev 's3.buckets=[]' /s3/buckets
refused docket-dev 's3.buckets=["../etc"]' /s3/buckets/0
refused docket-dev 'gateway.maxMegabytes="many"' /gateway/maxMegabytes
refused docket-dev 'gateway.sampling.percent=101' /gateway/sampling/percent
refused docket-dev 'gateway.sampling.decisionWait="soon"' /gateway/sampling/decisionWait
refused docket-dev 'gateway.tls.secret="Gateway"' /gateway/tls/secret
refused docket-dev 'prometheus.image=""' /prometheus/image
refused docket-dev 'prometheus.retention="forever"' /prometheus/retention
refused docket-dev 'grafana.image="x"' grafana
refused docket-dev 'alertmanager.image=""' /alertmanager/image
refused docket-dev 'alertmanager.slack.url="hooks"' /alertmanager/slack/url
refused docket-dev 'alertmanager.email.smarthost="mail"' /alertmanager/email/smarthost

accepted docket 'telemetry.endpoint="https://otlp.example.com:4317"' '--telemetry-endpoint=https://otlp.example.com:4317'
accepted docket 'watch.namespaces=["globex","acme"]' '--namespace=globex'
accepted docket 'watch.namespaces=["globex","acme"]' 'resourceNames: [docket-operator-acme.globex]'
accepted docket 'crds.install=true' 'kind: CustomResourceDefinition'
accepted docket 'networkPolicy.gateways=[{"ipBlock":{"cidr":"10.0.0.0/8"}}]' '"--gateways=[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}]"'
accepted docket 'networkPolicy.scrapers=[{"podSelector":{}}]' '"--scrapers=[{\"podSelector\":{}}]"'
accepted docket '{"networkPolicy":{"scrapers":[]},"test":{"image":""}}' 'ingress: []'
accepted docket 'networkPolicy.egress="Open"' '--egress=open'
accepted docket 'tenants.allowedImages=["registry.example.com/docket/*"]' '"--allowed-image=registry.example.com/docket/*"'
accepted docket 'tenants.allowedIngressAnnotations=["cert-manager.io/*"]' '"--allowed-ingress-annotation=cert-manager.io/*"'
accepted docket 'tenants.allowedIngressClasses=["public"]' '"--allowed-ingress-class=public"'
accepted docket 'metricsSource.url="https://prometheus.example.com/tenant"' '--prometheus-url=https://prometheus.example.com/tenant'
accepted docket 'metricsSource={"url":"https://p","caSecret":"prometheus-ca"}' 'secretName: prometheus-ca'
accepted docket 'metricsSource={"url":"https://p","headersSecret":"token"}' '--prometheus-headers=/etc/docket/prometheus-headers'
accepted docket 'alerts={"namespace":"monitoring","shards":2}' '--rules-config-map=monitoring/docket-rules'
accepted docket 'alerts.labels={"release":"prometheus"}' '--monitoring-label=release=prometheus'
accepted docket 'alerts.runbooksUrl="https://docs.example.com"' '--runbooks-url=https://docs.example.com'
accepted docket 'dashboards.enabled=true' 'grafana_dashboard: "1"'
accepted docket 'dashboards={"annotations":{"grafana_folder":"Docket"}}' 'grafana_folder: Docket'
accepted docket 'dashboards={"namespace":"monitoring"}' 'namespace: monitoring'
accepted docket 'replicas=2' 'kind: PodDisruptionBudget'
accepted docket 'replicas=2' 'type: RollingUpdate'
accepted docket 'replicas=2' 'topologyKey: kubernetes.io/hostname'
accepted docket 'replicas=1' 'type: Recreate'
accepted docket 'logLevel="info,docket_operator=debug"' 'value: "info,docket_operator=debug"'
accepted docket 'tolerations=[{"key":"spot","operator":"Exists"}]' 'key: spot'
accepted docket 'imagePullSecrets=[{"name":"registry"}]' '- name: registry'
accepted docket 'priorityClassName="system-cluster-critical"' 'priorityClassName: system-cluster-critical'
accepted docket 'resources.limits.cpu=2' 'cpu: 2'
accepted docket-dev 'postgres.logMinDuration=-1' '--log_min_duration_statement=-1'
accepted docket-dev 'postgres.storage.className="standard"' 'storageClassName: standard'
accepted docket-dev 's3.buckets=["acme","globex"]' '/data/globex'
accepted docket-dev 'gateway.sampling.percent=10' '--config=/etc/otelcol/gateway-sampling.yaml'
accepted docket-dev 'gateway.sampling={"percent":10,"slowMilliseconds":250}' 'value: "250"'
accepted docket-dev 'gateway.tls.secret="gateway-tls"' 'secret: {secretName: gateway-tls}'
accepted docket-dev 'gateway.tls.secret="gateway-tls"' '--config=/etc/otelcol/gateway-mutual-tls.yaml'
accepted docket-dev 'gateway.tls={"secret":"gateway-tls","mutual":false}' '--config=/etc/otelcol/gateway-tls.yaml'

accepted docket 'alerts.runbooksUrl="https://docs.example.com/"' 'runbook_url: https://docs.example.com/DocketOperatorAbsent.md'
accepted docket 'alerts.configMap="rules"' 'name: rules-operator'
accepted docket-dev 'alertmanager.slack.url="https://hooks.slack.example/x"' 'https://hooks.slack.example/x'
accepted docket-dev 'alertmanager.email.to="oncall@example.com"' 'to: "oncall@example.com"'

# absent CHART VALUE TEXT: what is rendered does not contain the text.
absent() {
    local output
    output=$(render "$1" --set-json "$2")
    if [[ $output == *"$3"* ]]; then
        fail "$1 with $2 has $3"
    else
        echo "ok      $1 with $2 has no $3"
    fi
}

absent docket 'telemetry.endpoint=""' OTEL_EXPORTER_OTLP_ENDPOINT
absent docket 'telemetry.endpoint=""' --telemetry-endpoint
absent docket 'alerts.configMap=""' --rules-config-map
absent docket 'alerts.runbooksUrl=""' --runbooks-url
absent docket 'alerts.runbooksUrl=""' runbook_url
absent docket 'test.image=""' docket-operator-test
absent docket 'networkPolicy.egress="Open"' 'namespace: default'
absent docket 'watch.namespaces=[]' --namespace=
absent docket 'crds.install=false' 'kind: CustomResourceDefinition'
absent docket 'crds.install=false' aggregate-to
absent docket '{"crds":{"install":false},"watch":{"namespaces":["acme"]}}' 'kind: ClusterRole'
absent docket 'dashboards.enabled=false' grafana_dashboard
absent docket 'replicas=1' 'kind: PodDisruptionBudget'
absent docket 'replicas=1' 'topologyKey: kubernetes.io/hostname'
absent docket 'userRoles.aggregate=false' aggregate-to
absent docket-dev 'gateway.sampling.percent=100' tail_sampling
absent docket-dev 'gateway.tls.secret=""' cert_file
absent docket-dev 'gateway.tls={"secret":"gateway-tls","mutual":false}' client_ca_file

# More rights than before must show in a diff that somebody reads.
rights() {
    render docket --show-only templates/rbac.yaml --show-only templates/userroles.yaml "$@" | grep -v helm.sh/chart
}

# golden FILE option…: what is handed out with these values.
golden() {
    local file=docket/golden/$1 difference
    shift
    if [[ $update == --update ]]; then
        rights "$@" >"$file"
    fi
    if difference=$(diff --unified "$file" <(rights "$@")); then
        echo "ok      docket hands out the rights of $file"
    else
        fail "docket hands out other rights; if that is meant, run charts/test.sh --update:
$difference"
    fi
}

update=${1:-}
golden rbac.yaml
golden rbac-of-one-namespace.yaml --set-json 'watch.namespaces=["acme"]'
golden rbac-of-two-namespaces.yaml --set-json 'watch.namespaces=["acme","globex"]'

[[ $failures == 0 ]] || { echo "$failures failed" >&2; exit 1; }
