#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a fuzzer for so many seconds with each target: fuzz.sh BINARY SECONDS TARGET...
#
# What it finds interesting is kept beside the binary for the next time; an input that ends it is named, and the status is 1.
set -eu
binary=$1 seconds=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
kept=$(dirname "$binary")/corpora
for target in "$@"; do
    mkdir -p "$kept/$target"
    log=$kept/$target.log
    # Traps are libFuzzer's to report, not the runtime's.
    if ! SWIFT_BACKTRACE=enable=no FUZZ_TARGET=$target "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$kept/$target-" "$kept/$target" "$root/Fuzz/Corpora/$target" 2>"$log"; then
        tail -n 30 "$log" >&2
        echo "fuzz: $target: failed; the input is named above, give it to the same program to see it again" >&2
        exit 1
    fi
    echo "fuzz: $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
done
