#!/usr/bin/env bash
# Tests grpcurl with each transport (plaintext, mutual TLS) and each source of the contract (reflection, protoset), and its exit
# statuses, which docs/operators.md lists.
set -euo pipefail

# Runs a command and compares its exit status.
expect() {
    local expected=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    if [ "$status" -ne "$expected" ]; then
        printf 'expected the exit status %d, but it is %d: %s\n%s\n' "$expected" "$status" "$*" "$output"
        exit 1
    fi
}

plaintext=(grpcurl -plaintext -H 'x-sandbox-caller: operator')
mutual_tls=(grpcurl -cacert "$SANDBOX_CERTIFICATES/ca.pem" -cert "$SANDBOX_CERTIFICATES/operator.pem"
    -key "$SANDBOX_CERTIFICATES/operator.key")
with_protoset=(-protoset deploy/contract/temporarypin.protoset)
limits=temporarypin.v1.OperatorService/ListLimits
person=$(curl -s -d '{}' "$SANDBOX_HTTP/people/claim" | jq -c '{person: {cpr_number}, reason: "CASE-1"}')

# FAILED_PRECONDITION: the limit of a mobile number that is not there.
without_mobile=$(curl -s "$SANDBOX_HTTP/people" | jq -c 'map(select(.mobile_number == null and .mitid_uuid != null))[0] |
    {person: {mitid_uuid}, reason: "CASE-1", limit: "PERSON_LIMIT_MOBILE_PINS"}')

for contract in reflection protoset; do
    options=(-max-time 10)
    [ "$contract" = reflection ] || options+=("${with_protoset[@]}")
    for transport in plaintext mutual_tls; do
        call=("${plaintext[@]}") address=$SANDBOX_GRPC
        [ $transport = plaintext ] || { call=("${mutual_tls[@]}") && address=$SANDBOX_TLS; }
        expect 0 "${call[@]}" "${options[@]}" "$address" list temporarypin.v1.OperatorService
        expect 0 "${call[@]}" "${options[@]}" "$address" describe temporarypin.v1.ListLimitsRequest
        expect 0 "${call[@]}" "${options[@]}" "$address" grpc.health.v1.Health/Check
        expect 0 "${call[@]}" "${options[@]}" -d "$person" "$address" $limits
        expect 67 "${call[@]}" "${options[@]}" -d '{}' "$address" $limits # INVALID_ARGUMENT
        expect 71 "${call[@]}" "${options[@]}" "$address" temporarypin.v1.TemporaryPinService/IssueTemporaryPin
        expect 73 "${call[@]}" "${options[@]}" -d "$without_mobile" "$address" temporarypin.v1.OperatorService/ResetLimit
        expect 1 "${call[@]}" "${options[@]}" -d '{"nobody": 1}' "$address" $limits # grpcurl itself: no such field
    done
    expect 80 grpcurl -plaintext "${options[@]}" -d "$person" "$SANDBOX_GRPC" $limits # UNAUTHENTICATED
    # No connection without a certificate.
    expect 1 grpcurl -connect-timeout 2 -cacert "$SANDBOX_CERTIFICATES/ca.pem" "${options[@]}" -d "$person" "$SANDBOX_TLS" $limits
    curl -s -d '{"mode": "down"}' "$SANDBOX_HTTP/register" >/dev/null
    expect 78 "${plaintext[@]}" "${options[@]}" -d "$person" "$SANDBOX_GRPC" $limits # UNAVAILABLE
    curl -s -d '{"mode": "up"}' "$SANDBOX_HTTP/register" >/dev/null
done
echo "grpcurl: both transports, both sources of the contract, and the exit statuses of docs/operators.md"
