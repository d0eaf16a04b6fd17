#!/usr/bin/env bash
# cluster.sh check|packages|tools|up|down|env: the cluster that choose.sh names.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
source "$scripts/choose.sh"
source "$scripts/apt.sh"
source "$scripts/packages.sh"
source "$scripts/lanes.sh"
source "$scripts/bare/cgroups.sh"

choose_cluster

# What the bare machine lacks is said before anything is built.
check() {
    [[ $kind_of_cluster != bare ]] || check_machine
}

# Whoever needs them first installs them.
packages() (
    [[ $kind_of_cluster == bare ]] || exit 0
    mkdir -p "$cache"
    exec 6>"$cache/packages.lock"
    flock 6
    install_packages
)

commands() {
    case $kind_of_cluster in
    bare) "$scripts/tools.sh" kubernetes ;;
    existing | kind) "$scripts/tools.sh" kubernetes kubectl helm ;;
    esac
    [[ $kind_of_cluster != kind ]] || "$scripts/tools.sh" kind
    # The API server's tests start one of their own.
    "$scripts/tools.sh" s3
}

# Everything that takes the processor for minutes, when it is there for the first time. Go needs none of the packages.
tools() {
    check
    STEPS_SIDE_BY_SIDE=yes lane packages
    STEPS_SIDE_BY_SIDE=yes lane commands
    join_lanes
}

up() {
    tools
    case $kind_of_cluster in
    existing) echo "Using the cluster of KUBECONFIG=$KUBECONFIG." ;;
    kind)
        if ! kind get clusters 2>/dev/null | grep -qx docket; then
            step "Creating a kind cluster" kind create cluster --name docket --wait 180s \
                --config "$repository/kind-config.yaml" --kubeconfig "$KUBECONFIG"
        fi
        ;;
    bare) "$scripts/bare/up.sh" ;;
    esac
}

down() {
    case $kind_of_cluster in
    existing) echo "The cluster of KUBECONFIG=$KUBECONFIG is not ours: it is left as it is." ;;
    kind) ! command -v kind >/dev/null || step "Deleting the kind cluster" kind delete cluster --name docket --kubeconfig "$KUBECONFIG" ;;
    bare) "$scripts/bare/stop.sh" ;;
    esac
}

case $1 in
env)
    programs=${BINARIES:-$repository/target/debug}
    # kubectl finds its plugins by name; the link leads somewhere as soon as docketctl is built.
    mkdir -p "$programs"
    ln -sfn docketctl "$programs/kubectl-docket"
    printf 'export KUBECONFIG=%q\n' "$KUBECONFIG"
    # shellcheck disable=SC2016 # the caller's shell puts its own PATH in
    printf 'export PATH=%q:%q:$PATH\n' "$links" "$programs"
    # With other settings cargo would compile all over again.
    printf 'export CARGO_BUILD_TARGET=%q RUSTFLAGS=%q\n' "${CARGO_BUILD_TARGET:-}" "${RUSTFLAGS:-}"
    [[ -z ${RUSTUP_TOOLCHAIN:-} ]] || printf 'export RUSTUP_TOOLCHAIN=%q\n' "$RUSTUP_TOOLCHAIN"
    ;;
check | packages) "$1" ;;
tools | up | down)
    # One at a time; the daemons do not inherit the lock.
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
    "$1"
    ;;
esac
