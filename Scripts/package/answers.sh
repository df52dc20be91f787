#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a backend, at addresses of its own, and sees to it that it takes a report, shows it in the figures and stops well.
#
# usage: answers.sh COMMAND…
set -euo pipefail
log=$(mktemp)
backend=
trap '[ -z "$backend" ] || kill "$backend" 2>/dev/null || true; rm -f "$log"' EXIT
"$@" --listen-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 2>"$log" &
backend=$!
for _ in $(seq 300); do
    url=$(sed -nE 's/.* listen=([0-9.:]+) .*takes reports.*/http:\/\/\1/p' "$log")
    [ -z "$url" ] || break
    kill -0 "$backend" 2>/dev/null || break
    sleep 0.1
done
fail() {
    echo "answers: $*" >&2
    cat "$log" >&2
    exit 1
}
[ -n "$url" ] || fail "it does not start: $*"
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --header 'X-Cluster-ID: one' \
    --data-binary $'cozy_tenants_count 2\n' --header 'Content-Type: text/plain' "$url/") || fail "it does not answer"
[ "$status" = 200 ] || fail "it answers a report with $status"
curl --silent --fail "$url/api/overview?$(date -u +'year=%Y&month=%-m')" | grep -q '"clusters" *: *1' || fail "the report is not in the figures"
kill "$backend"
wait "$backend" || fail "it ended with $?"
backend=
