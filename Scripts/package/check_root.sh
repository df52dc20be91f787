#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the program in the root file system of the image, as the image's user, where there is nothing but that: it has to
# take a report, to find names, and to trust and distrust by the authorities in there.
#
# usage: check_root.sh DIRECTORY
set -euo pipefail
root=$(realpath "$1") here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# Somewhere with a certificate of a known authority: where this machine's packages come from, unless another is named.
site=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 2>/dev/null | head -n 1 || true)
outside=${OUTSIDE:-https://${site#*://}}
ok() { echo "check-root: $*"; }
fail() {
    echo "check-root: $*" >&2
    exit 1
}
# A name space for mounts; as somebody else a user's too, in which one is root.
if [ -z "${IN_NAMESPACE:-}" ]; then
    how=(--mount --propagation private)
    [ "$(id -u)" -eq 0 ] || how=(--user --map-root-user "${how[@]}")
    if ! unshare "${how[@]}" true 2>/dev/null; then
        echo "check-root: SKIPPED: it takes unshare, as root or with user name spaces" >&2
        exit 0
    fi
    IN_NAMESPACE=$(id -u) exec unshare "${how[@]}" "$0" "$root"
fi
readelf --program-headers "$root/usr/bin/cozy-telemetry" | grep -q INTERP && fail "the program needs an interpreter"
[ -z "$(find "$root" -name '*.so*' -o -name sh)" ] || fail "there is more in the root than the program"

# What a container gets: the root, read-only, with /proc, /dev, a volume, and the files of names.
mount --bind "$root" "$root"
cd "$root"
mount --bind -o ro /etc/hosts etc/hosts
mount --bind -o ro /etc/resolv.conf etc/resolv.conf
mount --rbind /dev dev
mount --rbind /proc proc
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=0777 tmpfs var/lib/cozy-telemetry
mount -o remount,bind,ro "$root"
inside=(chroot)
# Only root can become the image's user.
[ "$IN_NAMESPACE" -ne 0 ] || inside+=(--userspec=65532:65532)
inside+=(. /usr/bin/cozy-telemetry)

version=$("${inside[@]}" --version)
"${inside[@]}" --help | grep -q 'USAGE: cozy-telemetry' || fail "it has no help"
"$here/answers.sh" "${inside[@]}" server
ok "$version runs in an empty root of $(du -sh "$root/usr" | cut -f 1), read-only, and takes reports"

if ! curl --silent --output /dev/null --max-time 20 --cacert etc/ssl/certs/ca-certificates.crt "$outside"; then
    echo "check-root: SKIPPED: TLS to $outside, which is not reached from here; OUTSIDE names another" >&2
    exit 0
fi
# It has no figures: that it answers is what is asked.
said=$("${inside[@]}" overview --url "$outside" 2>&1) && fail "$outside has figures?"
[[ $said =~ answered\ [0-9]{3} ]] || fail "$outside is not reached from the root: $said"
mount --bind -o ro /dev/null etc/ssl/certs/ca-certificates.crt
said=$("${inside[@]}" overview --url "$outside" 2>&1) && fail "$outside has figures?"
[[ ! $said =~ answered\ [0-9]{3} ]] || fail "$outside is trusted without authorities"
ok "it trusts $outside by the authorities in the root, and not without"
