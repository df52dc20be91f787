#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says what pages cost a backend beside overviews, in CPU time of its process, on a store with months of a simulated fleet.
#
# usage: bench.sh PROGRAM [CLUSTERS [MONTHS]]
set -euo pipefail
program=$1 clusters=${2:-10000} months=${3:-24}
directory=$(mktemp -d)
backend=
trap '[ -z "$backend" ] || { kill "$backend" && wait "$backend"; } 2>/dev/null || true; rm -rf "$directory"' EXIT

"$program" simulate --into "$directory/data" --clusters "$clusters" --months "$months" --seed 3 >/dev/null 2>&1
"$program" server --listen-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 --data-dir "$directory/data" --rate-limits off \
    2>"$directory/log" &
backend=$!
listen=
while [ -z "$listen" ]; do
    sleep 0.1
    listen=$(sed -nE "s/.* listen=([0-9.:]+) .*takes reports.*/\1/p" "$directory/log")
done
# The breakdowns of the day are made once, at the start.
curl -sf -o /dev/null "http://$listen/api/breakdowns?by=os&$(date -u +year=%Y\&month=%-m)"

# Hundredths of a second that the backend computed so far.
ticks() { awk '{ print $14 + $15 }' "/proc/$backend/stat"; }
measure() {
    local name=$1 count=$2 before
    shift 2
    before=$(ticks)
    curl -sf -o /dev/null --compressed "$@"
    awk -v name="$name" -v ticks="$(($(ticks) - before))" -v count="$count" \
        'BEGIN { printf "%-38s %8.3f ms of CPU each, %d asked\n", name, ticks * 10 / count, count }'
}
echo "$clusters clusters, $months months"
measure "overview" 1000 "http://$listen/api/overview?$(date -u +year=%Y\&month=%-m)&n=[1-1000]"
measure "page that is kept" 1000 "http://$listen/?n=[1-1000]"
year=$(date -u +%Y)
measure "page that is made" 24 "http://$listen/?window={month,quarter}&month=$((year - 1))-{01,02,03,04,05,06,07,08,09,10,11,12}"
measure "curve of 24 months" 200 "http://$listen/api/series?of=nodes&$(date -u +year=%Y\&month=%-m)&n=[1-200]"
awk '/VmHWM/ { printf "%-38s %8.1f MB\n", "memory at its most", $2 / 1000 }' "/proc/$backend/status"
