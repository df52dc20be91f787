#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the completion scripts of a cozy-telemetry into a folder, under the names that the shells look for.
set -euo pipefail

program=$1
folder=$2

mkdir -p "$folder"
for pair in bash:cozy-telemetry.bash zsh:_cozy-telemetry fish:cozy-telemetry.fish; do
    file=$folder/${pair#*:}
    "$program" --generate-completion-script "${pair%%:*}" >"$file.new"
    mv "$file.new" "$file"
done
