#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Opens the public page and the maintainers' view of a backend with months of a simulated fleet in a real browser.
#
# usage: check.sh PROGRAM PYTHON [arguments of check.py]
set -euo pipefail
program=$1 python=$2
shift 2
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=$(mktemp -d)
backend=
trap '[ -z "$backend" ] || { kill "$backend" && wait "$backend"; } 2>/dev/null || true; rm -rf "$directory"' EXIT

"$program" simulate --into "$directory/data" --clusters 60 --months 15 --seed 3 >"$directory/output" 2>&1 || {
    cat "$directory/output" >&2
    exit 1
}
"$program" server --listen-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 --data-dir "$directory/data" --rate-limits off \
    2>"$directory/log" &
backend=$!
for _ in $(seq 600); do
    listen=$(sed -nE "s/.* listen=([0-9.:]+) .*takes reports.*/\1/p" "$directory/log")
    [ -n "$listen" ] && break
    kill -0 "$backend" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$listen" ]; then
    echo "check-page: the backend does not start:" >&2
    cat "$directory/log" >&2
    exit 1
fi
"$python" "$scripts/check.py" "http://$listen" "$@"
kill "$backend" && wait "$backend"
backend=
"$python" "$scripts/check_maintainers.py" "$program" "$directory/data" "$@"
