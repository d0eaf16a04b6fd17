# shellcheck shell=bash
# release NAME NAMESPACE value…: installs or upgrades charts/NAME unless the very same is deployed.

release() {
    local name=$1 namespace=$2 inputs
    shift 2
    inputs=$({ cd "$repository/charts/$name" && find . -type f -print0 | sort -z | xargs -0 sha256sum; echo "$@"; } | sha256sum | cut -c1-12)
    [[ -z $(helm list --namespace "$namespace" --deployed --short --selector "inputs=$inputs" 2>/dev/null) ]] || return 0
    step "Releasing the chart $name" helm upgrade --install "$name" "$repository/charts/$name" \
        --namespace "$namespace" --create-namespace --labels "inputs=$inputs" "$@"
}
