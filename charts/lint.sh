#!/usr/bin/env bash
# Checks the charts and the examples: as Helm sees them, as checkov sees them, and on the API server where one answers.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=e2e/cluster/places.sh
source e2e/cluster/places.sh
"$scripts/tools.sh" kubernetes helm kubectl

rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT
failures=0

# check "what" command…: one line, and the command's output when it fails.
check() {
    local what=$1 output=$rendered/output.log
    shift
    if "$@" >"$output" 2>&1; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        sed 's/^/        /' "$output"
        failures=$((failures + 1))
    fi
}

render() {
    helm template "$chart" "charts/$chart" --namespace "$chart" --values "$values" >"$rendered/$chart-$(basename "$values")"
}

# A virtual environment's commands name the folder in which it was made; its Python does not.
run_checkov() {
    "$checkov" -m checkov.main --config-file charts/checkov.yaml --directory "$rendered"
}

# From beside their package, which Python then finds.
check_dashboards() (
    cd charts
    "$grafana" -B -m dashboards
)

accepted_by_server() {
    # A dry run makes no namespace and no service account that the next object could use.
    sed 's/^  namespace: .*/  namespace: default/; s/^  serviceAccountName: .*/  serviceAccountName: default/' "$1" | kubectl apply --dry-run=server --validate=strict --filename -
}

for chart in docket docket-dev; do
    for values in "charts/$chart"/ci/*-values.yaml; do
        check "helm lint --strict $chart, $(basename "$values")" helm lint --quiet --strict "charts/$chart" --values "$values"
        check "helm template $chart, $(basename "$values")" render
    done
done
cp examples/*.yaml "$rendered"

"$scripts/debian.sh" prometheus prometheus promtool
check "promtool on the configuration of Prometheus" promtool check config --syntax-only charts/docket-dev/files/prometheus.yaml

"$scripts/debian.sh" prometheus-alertmanager prometheus-alertmanager amtool
check "amtool on the configuration of Alertmanager" charts/routing.sh

grafana=$("$scripts/python.sh" grafana charts/dashboards/requirements.txt)
check "the dashboards: as their source says, by rules, and promtool on their queries" check_dashboards

checkov=$("$scripts/python.sh" checkov charts/requirements.txt)
check "checkov on the charts and the examples" run_checkov
check "shellcheck on the scripts in the charts" shellcheck -x charts/*.sh charts/*/files/*.sh charts/*/files/*/*.sh
charts/test.sh || failures=$((failures + 1))

if kubectl get --raw /readyz --request-timeout=5s >/dev/null 2>&1; then
    for file in "$rendered"/*.yaml; do
        if grep -q '^kind: DocumentTenant$' "$file" && ! kubectl get crd documenttenants.docket.dev >/dev/null 2>&1; then
            echo "skipped the API server's opinion on $(basename "$file"): it does not know DocumentTenant yet"
        else
            check "the API server accepts $(basename "$file")" accepted_by_server "$file"
        fi
    done
else
    echo "skipped the API server's opinion: KUBECONFIG names none that answers"
fi

[[ $failures == 0 ]] || { echo "$failures checks failed" >&2; exit 1; }
