# shellcheck shell=bash
# Which cluster is meant: sets $kind_of_cluster to existing, kind or bare, and KUBECONFIG to it.

bare_kubeconfig=$state/kubeconfig
kind_kubeconfig=$cache/kind.kubeconfig

# Without kubectl, a file is taken at its word: better to ask once too often.
answers() {
    [[ -e $1 ]] || return 1
    ! command -v kubectl >/dev/null || kubectl get --raw /version --request-timeout=5s >/dev/null 2>&1
}

choose_cluster() {
    local named=${KUBECONFIG:-}
    [[ $named != "$bare_kubeconfig" && $named != "$kind_kubeconfig" ]] || named=
    if [[ -n ${CLUSTER:-} ]]; then
        kind_of_cluster=$CLUSTER
    elif [[ -n $named ]] && answers "$named"; then
        give_up "KUBECONFIG=$named names a cluster that answers: say CLUSTER=existing to use it, or unset KUBECONFIG for a local one"
    elif docker info >/dev/null 2>&1; then
        kind_of_cluster=kind
    else
        kind_of_cluster=bare
    fi
    case $kind_of_cluster in
    existing) [[ -n $named ]] || give_up "CLUSTER=existing needs KUBECONFIG to name the cluster's kubeconfig file" ;;
    kind) export KUBECONFIG=$kind_kubeconfig ;;
    bare) export KUBECONFIG=$bare_kubeconfig ;;
    *) give_up "CLUSTER=$kind_of_cluster is unknown: say existing, kind or bare" ;;
    esac
}
