#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian package, runs what its unit starts as the unit's user, and removes it; only as root.
#
# usage: check_debian.sh FILE
set -euo pipefail
package=$1
here=$(dirname "${BASH_SOURCE[0]}")
ok() { echo "check-packages: $*"; }
fail() {
    echo "check-packages: $*" >&2
    exit 1
}
if [ "$(id -u)" -ne 0 ]; then
    echo "check-packages: SKIPPED: installing the Debian package, which takes root" >&2
    exit 0
fi
# What is there belongs to somebody.
if [ -e /var/lib/cozy-telemetry ] || id cozy-telemetry >/dev/null 2>&1 || dpkg-query --show cozy-telemetry >/dev/null 2>&1; then
    echo "check-packages: SKIPPED: installing the Debian package, as a backend is installed here already" >&2
    exit 0
fi
tidy() {
    dpkg --purge cozy-telemetry
    rm -rf /var/lib/cozy-telemetry
    deluser --quiet --system cozy-telemetry
}
trap 'tidy >/dev/null 2>&1 || true' EXIT
dpkg --install "$package" >/dev/null
unit=/usr/lib/systemd/system/cozy-telemetry.service
systemd-analyze verify --man=no "$unit" || fail "systemd does not take $unit"
exposure=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -nE 's/.*Overall exposure level.*: ([0-9.]+) .*/\1/p')
awk -v exposure="$exposure" 'BEGIN { exit !(exposure != "" && exposure <= 2.0) }' || fail "the unit's exposure is $exposure, over 2.0"
ok "the unit's exposure is $exposure"

[ "$(stat -c '%U %a' /var/lib/cozy-telemetry)" = 'cozy-telemetry 700' ] || fail "its directory is not its own"
read -ra start < <(sed -n 's/^ExecStart=//p' "$unit")
"$here/answers.sh" setpriv --reuid cozy-telemetry --regid cozy-telemetry --clear-groups --inh-caps=-all "${start[@]}"
[ -s /var/lib/cozy-telemetry/telemetry.sqlite ] || fail "it wrote nothing into its directory"
ok "what the unit starts answers, as $(sed -n 's/^User=//p' "$unit")"

dpkg --purge cozy-telemetry >/dev/null 2>&1
for file in /usr/bin/cozy-telemetry "$unit" /etc/cozy-telemetry; do
    [ ! -e "$file" ] || fail "$file is left after it was removed"
done
[ -s /var/lib/cozy-telemetry/telemetry.sqlite ] || fail "the store went with the package"
ok "removed, it leaves its store and nothing else"
