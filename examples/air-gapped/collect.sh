#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes what the cluster would report now into a bundle of its day: collect.sh DIRECTORY. Run it once a day or a week.
set -eu
mkdir -p "$1"
exec cozy-telemetry preview --bundle "$1/$(date -u +%Y-%m-%d).json" >/dev/null
