# shellcheck shell=bash
# The example tenant, and what to look at when it does not become ready.

wait_for_releases() {
    kubectl rollout status deployment,statefulset --namespace docket-dev --timeout=180s
    kubectl rollout status deployment --namespace docket-system --timeout=120s || { explain docket-system; return 1; }
}

wait_for_tenant() {
    local wanted
    wanted=$(image_of api-server)
    kubectl apply -f "$repository/examples/acme.yaml"
    # A tenant that was ready before still is until the operator has seen the new image.
    wait_until_image "$wanted" || { explain acme; return 1; }
    kubectl wait --for=condition=Ready documenttenant/acme --namespace acme --timeout=180s || { explain acme; return 1; }
    kubectl rollout status deployment/acme-api --namespace acme --timeout=120s
}

wait_until_image() {
    local limit=$((SECONDS + 180))
    until [[ $(kubectl get deployment acme-api --namespace acme -o jsonpath='{.spec.template.spec.containers[*].image}' 2>/dev/null) == *"$1"* ]]; do
        [[ $SECONDS -lt $limit ]] || { echo "the tenant's Deployment does not run $1"; return 1; }
        sleep 0.5
    done
}

explain() {
    local namespace=$1
    kubectl get pods --namespace "$namespace" -o wide
    kubectl get events --namespace "$namespace" --sort-by=.lastTimestamp | tail -n 8
    [[ $namespace != acme ]] || kubectl get documenttenant acme --namespace acme \
        -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'
    kubectl logs --namespace docket-system deployment/docket-operator --tail=8
} 2>&1
