#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Asks a backend with a small fleet for everything that its openapi.yaml has, and for much that it has not, on both
# listeners, with all checks of schemathesis.
#
# usage: check.sh PROGRAM SCHEMATHESIS EXAMPLES SEED
set -euo pipefail
program=$1 schemathesis=$2 examples=$3 seed=$4
hooks=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/hooks.py
directory=$(mktemp -d)
backend=
trap '[ -z "$backend" ] || { kill "$backend" && wait "$backend"; } 2>/dev/null || true; rm -rf "$directory"' EXIT

"$program" demo --listen-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 --data-dir "$directory/data" --clusters 30 \
    >"$directory/output" 2>"$directory/log" &
backend=$!
for _ in $(seq 600); do
    # The figures are printed once the fleet has reported.
    [ -s "$directory/output" ] && break
    kill -0 "$backend" 2>/dev/null || break
    sleep 0.1
done
address() { sed -nE "s/.* $1=([0-9.:]+) .*takes reports.*/\1/p" "$directory/log"; }
listen=$(address listen) admin=$(address admin)
if [ -z "$listen" ] || [ -z "$admin" ]; then
    echo "check-api: the backend does not start:" >&2
    cat "$directory/log" >&2
    exit 1
fi
"$program" admin token create --role admin --expires 1d --data-dir "$directory/data" >"$directory/token" 2>/dev/null

# What schemathesis keeps goes where it is run.
cd "$directory"
check() {
    local name=$1 url=http://$2
    shift 2
    SCHEMATHESIS_HOOKS=$hooks "$schemathesis" run "$url/openapi.yaml" --url "$url" --checks all --seed "$seed" \
        --max-examples "$examples" --continue-on-failure --no-color "$@" >report 2>&1 || {
        cat report >&2
        exit 1
    }
    echo "check-api: the $name listener: $(sed -nE 's/^ *([0-9]+) generated.*/\1/p' report) requests, nothing found"
}
# Of the public listener no answer leads to another request.
check public "$listen" --include-tag public --include-tag both --phases examples,coverage,fuzzing
# What comes as it happens does not end for minutes.
check private "$admin" --include-tag private --include-tag both --exclude-path /v1/live --header "Authorization: Bearer $(cat token)"
