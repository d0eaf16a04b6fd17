#!/usr/bin/env bash
# collector.sh: builds the collector that images/collector/builder.yaml describes into the cache, once, and links it into its bin.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"

"$scripts/tools.sh" collector-builder
exec 7>"$cache/tools/collector.lock"
flock 7
manifest=$repository/images/collector/builder.yaml
key=$({ cat "$manifest"; readlink "$links/builder"; go version; } | sha256sum | cut -c1-12)
into=$cache/tools/collector-$key

build() {
    local sources=$cache/collector-sources
    rm -rf "$sources" "$into.partial"
    mkdir -p "$sources"
    (cd "$sources" && CGO_ENABLED=0 builder --config "$manifest")
    mkdir -p "$into.partial"
    mv "$sources/otelcol" "$into.partial/"
    mv "$into.partial" "$into"
    rm -rf "$sources"
}

if [[ ! -x $into/otelcol ]]; then
    step "Building the collector from Go modules (once)" build
    find "$cache/tools" -mindepth 1 -maxdepth 1 -regex '.*/collector-[0-9a-f]*' ! -path "$into" -exec rm -rf {} +
fi
ln -sfn "$into/otelcol" "$links/otelcol"
