#!/usr/bin/env bash
# cargo.sh SUBCOMMAND ARGUMENT…: cargo with a subcommand of the version that is pinned here, built into the cache once.
# cargo.sh: only builds them all.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"

declare -A versions=([deny]=0.20.2 [machete]=0.9.2 [nextest]=0.9.151)

# Without nextest's updater of itself, and with no time spent on making them fast. Settings for our own programs would
# make others of them.
build() {
    env -u CARGO_BUILD_TARGET -u RUSTFLAGS CARGO_TARGET_DIR="$into.target" \
        cargo install --locked --version "${versions[$1]}" --root "$into.partial" --no-default-features \
        --debug --config profile.dev.debug=false "cargo-$1"
    rm -rf "$into.target"
    mv "$into.partial/bin" "$into"
    rm -rf "$into.partial"
}

provide() {
    into=$cache/tools/cargo-$1-${versions[$1]}
    if [[ ! -x $into/cargo-$1 ]]; then
        rm -rf "$cache/tools/cargo-$1"-*
        step "Building cargo-$1 (once)" build "$1"
    fi
    mkdir -p "$links"
    ln -sfn -t "$links" "$into/cargo-$1"
}

mkdir -p "$cache/tools"
exec 7>"$cache/tools/cargo.lock"
flock 7
if [[ $# == 0 ]]; then
    for subcommand in "${!versions[@]}"; do
        provide "$subcommand"
    done
    exit
fi
provide "$1"
exec 7>&-
cd "$repository"
exec cargo "$@"
