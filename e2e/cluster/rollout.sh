#!/usr/bin/env bash
# Brings the images that were made, the charts and the example tenant onto the cluster, and stores a document.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
source "$scripts/choose.sh"
source "$scripts/release.sh"
source "$scripts/load.sh"
source "$scripts/tenant.sh"
choose_cluster

load_images

release docket-dev docket-dev \
    --set "postgres.image=$(image_of postgres)" --set "s3.image=$(image_of s3)" --set "gateway.image=$(image_of collector)" \
    --set "prometheus.image=$(image_of prometheus)" --set "alertmanager.image=$(image_of alertmanager)" \
    --set "receivers.image=$(image_of receivers)"
scrapers='[{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "docket-dev"}},
    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}]'
release docket docket-system \
    --set "image=$(image_of operator)" --set "apiServer.image=$(image_of api-server)" \
    --set "collector.image=$(image_of collector)" --set "test.image=$(image_of postgres)" \
    --set telemetry.endpoint=http://gateway.docket-dev:4317 --set metricsSource.url=http://prometheus.docket-dev:9090 \
    --set-json "networkPolicy.scrapers=$scrapers" \
    --set alerts.namespace=docket-dev --set "alerts.runbooksUrl=file://$repository/docs/runbooks" \
    --set alerts.dashboardsUrl=http://grafana.example.com

step "Waiting for the operator and what it needs" wait_for_releases
step "Waiting for the tenant acme" wait_for_tenant
"$scripts/document.sh"
