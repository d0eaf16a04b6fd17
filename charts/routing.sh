#!/usr/bin/env bash
# routing.sh: Alertmanager takes the configuration of docket-dev, and each severity goes where it should.
set -euo pipefail
cd "$(dirname "$0")"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
helm template docket-dev docket-dev --namespace docket-dev --values docket-dev/ci/local-values.yaml \
    --show-only templates/alertmanager.yaml >"$folder/rendered.yaml"
cp docket-dev/files/docket.tmpl "$folder/"
# The first entry of the Secret, with its templates where they are here.
sed -n '/^  alertmanager.yaml: |$/,/^  [a-z]/p' "$folder/rendered.yaml" | sed -e '1d;$d' -e 's/^    //' \
    -e "s|/etc/alertmanager/|$folder/|" >"$folder/alertmanager.yaml"

amtool check-config "$folder/alertmanager.yaml"

goes_to() {
    amtool config routes test --config.file="$folder/alertmanager.yaml" --verify.receivers="$1" \
        alertname=DocketLatencyHigh namespace=acme tenant=acme ${2:+severity=$2}
}
goes_to pagerduty,slack page
goes_to slack warning
goes_to email ticket
goes_to slack ""
