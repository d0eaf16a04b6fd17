#!/usr/bin/env bash
# tools.sh MODULE…: builds the commands that tools/MODULE/go.mod pins into the cache, once, and links them into its bin.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"

version_package=k8s.io/component-base/version
build_flags=(
    -trimpath -buildvcs=false
    -ldflags "-s -w -X $version_package.gitVersion=$kubernetes_version -X $version_package.gitMajor=1 -X $version_package.gitMinor=35"
)

# The same key means the same binaries: pinned modules, flags and compiler.
key_of() {
    { cat "go.mod" "go.sum"; printf '%s\n' "${build_flags[@]}"; go version; } | sha256sum | cut -c1-12
}

build() {
    local into=$1
    rm -rf "$into.partial"
    mkdir -p "$into.partial"
    CGO_ENABLED=0 go build "${build_flags[@]}" -o "$into.partial/" tool
    # etcd's main package is called server.
    [[ ! -e $into.partial/server ]] || mv "$into.partial/server" "$into.partial/etcd"
    mv -T "$into.partial" "$into"
}

for module; do
    cd "$scripts/tools/$module"
    into=$cache/tools/$module-$(key_of)
    if [[ ! -d $into ]]; then
        mkdir -p "$cache/tools"
        step "Building $module's commands (once; then they come from $cache)" build "$into"
        find "$cache/tools" -mindepth 1 -maxdepth 1 -name "$module-*" ! -path "$into" -exec rm -rf {} +
    fi
    mkdir -p "$links"
    ln -sfn -t "$links" "$into"/*
done
