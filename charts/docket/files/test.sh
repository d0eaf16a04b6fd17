# shellcheck shell=bash
# Run by `helm test` in an image that has bash and openssl but no HTTP client.

readyz() {
    exec 3<>"/dev/tcp/$OPERATOR/8080"
    printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$OPERATOR" >&3
    head -n 1 <&3
}

resources() {
    local account=/var/run/secrets/kubernetes.io/serviceaccount
    printf 'GET /apis/docket.dev/v1alpha1 HTTP/1.1\r\nHost: kubernetes.default.svc\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' \
        "$(<$account/token)" |
        openssl s_client -quiet -verify_quiet -verify_return_error -CAfile $account/ca.crt \
            -servername kubernetes.default.svc -verify_hostname kubernetes.default.svc -connect kubernetes.default.svc:443
}

answer=$(readyz)
echo "GET /readyz: $answer"
[[ $answer == *' 200 '* ]]

answer=$(resources)
[[ $answer == *'"name":"documenttenants"'* ]] || {
    echo "the API server does not serve documenttenants.docket.dev: $answer"
    exit 1
}
echo "The API server serves documenttenants.docket.dev."
