#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sees to it that what is named on the command line is there; installs what is missing from Debian's packages,
# quietly, and says in one line what to do where it cannot.
set -euo pipefail

say() { echo "require: $*" >&2; }

# The Debian package that has something.
package() {
    case $1 in
        cc) echo gcc ;;
        nginx) echo nginx-light ;;
        kubectl) echo kubernetes-client ;;
        dpkg-deb) echo dpkg ;;
        promtool) echo prometheus ;;
        readelf) echo binutils ;;
        setpriv) echo util-linux ;;
        systemd-analyze) echo systemd ;;
        *) echo "$1" ;;
    esac
}

# Whether something is there already.
present() {
    case $1 in
        ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        libsqlite3-dev) [ -e /usr/include/sqlite3.h ] ;;
        xz-utils) command -v xz >/dev/null ;;
        zlib1g-dev) [ -e /usr/include/zlib.h ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing=()
for name in "$@"; do
    present "$name" && continue
    if [ "$name" = swift ]; then
        say "Swift 6.3 is missing; install it from https://www.swift.org/install"
        exit 1
    fi
    missing+=("$(package "$name")")
done

if [[ " $* " == *" swift "* ]]; then
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
    read -r major minor <<<"${version:-0 0}"
    if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
        say "Swift 6.3 or newer is needed, this is ${major}.${minor}; install it from https://www.swift.org/install"
        exit 1
    fi
fi

[ ${#missing[@]} -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
    say "missing: ${missing[*]} (Debian's names); there is no apt-get here, install them with your system's package manager"
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    say "missing: ${missing[*]}; run: sudo apt-get install ${missing[*]}"
    exit 1
fi
say "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -qq update && apt-get -qq install --yes --no-install-recommends "${missing[@]}"; } >/dev/null; then
    say "apt-get could not install ${missing[*]}; install them by hand"
    exit 1
fi
