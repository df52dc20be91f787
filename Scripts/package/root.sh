#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the root file system of the container image: the program, the authorities that are trusted, a user, and the
# directories that are written to. There is nothing else, no shell either.
#
# usage: root.sh PROGRAM DIRECTORY
set -euo pipefail
program=$1 root=$2
rm -rf "$root"
install -d "$root"/{etc,proc,dev,sys,usr/bin} "$root/etc/ssl/certs"
install -d -m 1777 "$root/tmp"
install -d -m 0700 "$root/var/lib/cozy-telemetry"
install -m 0755 "$program" "$root/usr/bin/cozy-telemetry"
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'cozy-telemetry:x:65532:65532::/var/lib/cozy-telemetry:/nonexistent' >"$root/etc/passwd"
echo 'cozy-telemetry:x:65532:' >"$root/etc/group"
# Whatever runs the image puts its own in their place.
touch "$root/etc/hosts" "$root/etc/resolv.conf"
# As somebody else it is for the image's volume to have the right owner.
[ "$(id -u)" -ne 0 ] || chown 65532:65532 "$root/var/lib/cozy-telemetry"
find "$root" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
