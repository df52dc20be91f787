#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds what is handed out to what it says of itself: the same bytes twice, a list of parts that its validator takes, an
# archive and a Debian package that are installed, run and answer, a unit that is confined, charts that are read.
#
# usage: check.sh DIST AGAIN PYTHON-DIRECTORY
set -euo pipefail
dist=$(realpath "$1") again=$(realpath "$2") python=$(realpath "$3")
here=$(dirname "${BASH_SOURCE[0]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ok() { echo "check-packages: $*"; }
fail() {
    echo "check-packages: $*" >&2
    exit 1
}

diff -r "$dist" "$again" >/dev/null || fail "two builds of the same program differ: diffoscope $dist $again"
(cd "$dist" && sha256sum --check --quiet --strict SHA256SUMS)
[ "$(find "$dist" -type f | wc -l)" -eq $(($(wc -l <"$dist/SHA256SUMS") + 1)) ] || fail "a file has no checksum"
ok "two builds are byte for byte the same, $(wc -l <"$dist/SHA256SUMS") files"

parts=$(echo "$dist"/*.spdx.json)
"$python/spdx/bin/pyspdxtools" --infile "$parts"
# Also a document that lacks what SPDX asks for has to be found.
sed 's/"SPDX-2.3"/"SPDX-0"/' "$parts" >"$work/wrong.spdx.json"
! "$python/spdx/bin/pyspdxtools" --infile "$work/wrong.spdx.json" >/dev/null 2>&1 || fail "the validator takes everything"
tar -xzf "$dist"/cozy-telemetry-*-linux-*.tar.gz -C "$work"
unpacked=$(echo "$work"/cozy-telemetry-*)
digest=$(sha256sum "$unpacked/bin/cozy-telemetry" | cut -d ' ' -f 1)
grep -q "\"checksumValue\": \"$digest\"" "$parts" || fail "$parts is about another program"
ok "the list of parts is SPDX 2.3, with $(grep -c '"versionInfo"' "$parts") parts"

[ -x "$unpacked/bin/cozy-telemetry" ] || fail "the archive has no program"
for file in share/man/man1/cozy-telemetry.1.gz share/bash-completion/completions/cozy-telemetry \
    share/zsh/site-functions/_cozy-telemetry share/fish/vendor_completions.d/cozy-telemetry.fish \
    lib/systemd/system/cozy-telemetry.service etc/cozy-telemetry/settings.yaml \
    share/doc/cozy-telemetry/licenses/swift-nio/NOTICE.txt; do
    [ -s "$unpacked/$file" ] || fail "the archive has no $file"
done
"$here/answers.sh" "$unpacked/bin/cozy-telemetry" server --config "$unpacked/etc/cozy-telemetry/settings.yaml" \
    --data-dir "$work/data"
ok "the archive's program answers with the archive's settings"

# A second installation leaves settings that somebody changed.
"$here/install.sh" "$unpacked/bin/cozy-telemetry" "$work/destination" /opt /opt/etc
echo '# changed' >>"$work/destination/opt/etc/cozy-telemetry/settings.yaml"
"$here/install.sh" "$unpacked/bin/cozy-telemetry" "$work/destination" /opt /opt/etc
grep -q '# changed' "$work/destination/opt/etc/cozy-telemetry/settings.yaml" || fail "an installation overwrites the settings"
grep -q '^ExecStart=/opt/bin/cozy-telemetry server --config /opt/etc/' "$work/destination/opt/lib/systemd/system/cozy-telemetry.service" ||
    fail "the unit starts another program"
ok "make install leaves settings that were changed"

for chart in "$dist"/*.tgz; do
    "$python/helm/bin/helm" template "$chart" >/dev/null || fail "$chart cannot be read"
done
"$here/check_debian.sh" "$dist"/*.deb
