#!/usr/bin/env bash
# tools.sh MODULE [COMMAND…]: builds the commands that tools/MODULE/go.mod pins into the cache, once, and links them into its bin.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"

module=$1
shift
cd "$scripts/tools/$module"

version_package=k8s.io/component-base/version
build_flags=(
    -trimpath -buildvcs=false
    -ldflags "-s -w -X $version_package.gitVersion=$kubernetes_version -X $version_package.gitMajor=1 -X $version_package.gitMinor=35"
)

# The same key means the same binaries: pinned modules, flags and compiler.
key=$({ cat go.mod go.sum; printf '%s\n' "${build_flags[@]}"; go version; } | sha256sum | cut -c1-12)
into=$cache/tools/$module-$key

# A package's command, as `go build` names it; etcd's main package is called server.
command_of() {
    local name=${1%/v[0-9]}
    name=${name##*/}
    echo "${name/#server/etcd}"
}

build() {
    rm -rf "$into/partial"
    mkdir -p "$into/partial"
    CGO_ENABLED=0 go build "${build_flags[@]}" -o "$into/partial/" "${missing[@]}"
    [[ ! -e $into/partial/server ]] || mv "$into/partial/server" "$into/partial/etcd"
    mv "$into"/partial/* "$into"
    rmdir "$into/partial"
}

mkdir -p "$cache/tools"
exec 7>"$cache/tools/$module.lock"
flock 7

missing=() names=
while read -r package; do
    command=$(command_of "$package")
    if [[ $# -eq 0 || " $* " == *" $command "* ]] && [[ ! -x $into/$command ]]; then
        missing+=("$package")
        names+=" $command"
    fi
done < <(sed -n -E 's/^(tool )?\s*([a-z0-9.-]+\.[a-z]+\/[^ ]+)$/\2/p' go.mod)

if [[ ${#missing[@]} -gt 0 ]]; then
    step "Building${names} from Go modules (once)" build
    find "$cache/tools" -mindepth 1 -maxdepth 1 -name "$module-*" ! -path "$into" -exec rm -rf {} +
fi
mkdir -p "$links"
find "$into" -mindepth 1 -maxdepth 1 -type f -exec ln -sfn -t "$links" {} +
