#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sends the bundles of a directory and moves those that were taken to DIRECTORY/sent: carry.sh DIRECTORY [cozy-telemetry send's options]
set -eu
directory=$1
shift
mkdir -p "$directory/sent"
for bundle in "$directory"/*.json; do
    [ -e "$bundle" ] || continue
    cozy-telemetry send "$bundle" "$@"
    mv "$bundle" "$directory/sent/"
done
