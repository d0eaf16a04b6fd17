#!/usr/bin/env bash
# Stores a document for each client of the example tenant, reads it back, and knocks at the other client's door.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
source "$scripts/choose.sh"
choose_cluster

folder=$(mktemp -d)
forward=
trap 'rm -rf "$folder"; [[ -z $forward ]] || kill "$forward"' EXIT

address_of() {
    kubectl get service "$1" --namespace "$2" -o jsonpath='{.spec.clusterIP}'
}

# The machine that is the node reaches a Service by its address; from elsewhere it takes a tunnel.
reach_service() {
    if [[ $kind_of_cluster == bare ]]; then
        url=http://$(address_of acme-api acme)
    else
        kubectl port-forward --namespace acme service/acme-api 18000:80 >/dev/null &
        forward=$!
        url=http://127.0.0.1:18000 # curl asks again until the tunnel is there
    fi
}

# where NAME PORT: the URL of a Service of docket-dev, and what it takes to get there.
where() {
    if [[ $kind_of_cluster == bare ]]; then
        echo "http://$(address_of "$1" docket-dev):$2"
    else
        echo "http://127.0.0.1:$2, after kubectl port-forward -n docket-dev service/$1 $2"
    fi
}

# ask CLIENT'S-KEY curl-arguments…
ask() {
    local key
    key=$(kubectl get secret acme-api-keys --namespace acme -o "jsonpath={.data.$1}" | base64 -d)
    curl --silent --show-error --max-time 30 --retry 5 --retry-connrefused --header "X-API-Key: $key" "${@:2}"
}

store_and_read_back() {
    local client=$1 answer id
    echo "A document of $client, $(date --iso-8601=seconds)" >"$folder/$client.txt"
    answer=$(ask "$client" --fail-with-body -X PUT "$url/clients/$client/upload-document" -F "file=@$folder/$client.txt;type=text/plain")
    id=$(sed -n 's/.*"document_id" *: *"\{0,1\}\([^",}]*\).*/\1/p' <<<"$answer")
    [[ -n $id ]] || { echo "no document_id in: $answer"; return 1; }
    echo "$id" >"$folder/$client.id" # a step cannot set a variable of ours
    ask "$client" --fail-with-body -o "$folder/$client.back" "$url/clients/$client/documents/$id/content"
    cmp "$folder/$client.txt" "$folder/$client.back"
}

knock_at_the_others_door() {
    local status
    status=$(ask globex -o "$folder/refusal" -w '%{http_code}' "$url/clients/initech/documents/$(<"$folder/initech.id")")
    [[ $status == 403 ]] || { echo "globex's key on initech's document: $status instead of 403"; cat "$folder/refusal"; return 1; }
}

reach_service
step "Storing a document for globex and reading it back" store_and_read_back globex
step "Storing a document for initech and reading it back" store_and_read_back initech
step "Asking for initech's document with globex's key: refused" knock_at_the_others_door

cat <<SUMMARY

Docket is up. In this shell:
  eval "\$(make -s env)"
  kubectl get documenttenants --all-namespaces
The tenant acme answers at $url, for example:
  key=\$(kubectl get secret acme-api-keys -n acme -o jsonpath='{.data.globex}' | base64 -d)
  curl -H "X-API-Key: \$key" $url/clients/globex/documents/$(<"$folder/globex.id")/content
  curl -H "X-API-Key: \$key" -X PUT $url/clients/globex/upload-document -F file=@README.md
What it measures and who is told of it:
  Prometheus       $(where prometheus 9090)
  Alertmanager     $(where alertmanager 9093)
  alert receivers  $(where receivers 8080) at /messages, or kubectl logs -n docket-dev deploy/receivers
  dashboards       kubectl get configmaps -A -l grafana_dashboard, for any Grafana: charts/docket/dashboards
SUMMARY
