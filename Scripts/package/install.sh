#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the program and what belongs to it below a directory: completions, the manual, the unit of systemd with its
# settings, licences and the list of parts.
#
# usage: install.sh PROGRAM DESTDIR PREFIX SYSCONFDIR
set -euo pipefail
program=$1 destination=$2 prefix=$3 sysconfdir=$4
put() { install -D -m "${3:-0644}" "$1" "$destination$2"; }

put "$program" "$prefix/bin/cozy-telemetry" 0755
put .build/completions/cozy-telemetry.bash "$prefix/share/bash-completion/completions/cozy-telemetry"
put .build/completions/_cozy-telemetry "$prefix/share/zsh/site-functions/_cozy-telemetry"
put .build/completions/cozy-telemetry.fish "$prefix/share/fish/vendor_completions.d/cozy-telemetry.fish"
put .build/manual/cozy-telemetry.1 "$prefix/share/man/man1/cozy-telemetry.1"
# Debian and others want it packed; with no name and time in it, it is the same each time.
gzip -9nf "$destination$prefix/share/man/man1/cozy-telemetry.1"

unit=$prefix/lib/systemd/system/cozy-telemetry.service
put deploy/systemd/cozy-telemetry.service "$unit"
sed -i "s#@PREFIX@#$prefix#; s#@SYSCONFDIR@#$sysconfdir#" "$destination$unit"
# Somebody may have changed what is there.
settings=$sysconfdir/cozy-telemetry/settings.yaml
[ -e "$destination$settings" ] || put deploy/systemd/settings.yaml "$settings"

documents=$prefix/share/doc/cozy-telemetry
for file in LICENSE README.md CHANGELOG.md; do put "$file" "$documents/$file"; done
put .build/sbom/cozy-telemetry.spdx.json "$documents/cozy-telemetry.spdx.json"
rm -rf "$destination${documents:?}/licenses"
cp -R .build/sbom/licenses "$destination$documents/"
