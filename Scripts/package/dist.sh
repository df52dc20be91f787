#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what is handed out: an archive, a Debian package, the charts, the list of parts and the checksums of all. The same
# program gives the same bytes, with the same SOURCE_DATE_EPOCH.
#
# usage: dist.sh PROGRAM VERSION DIRECTORY
set -euo pipefail
program=$1 version=$2 directory=$3
export LC_ALL=C TZ=UTC
umask 022
epoch=${SOURCE_DATE_EPOCH:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$directory"
mkdir -p "$directory"

# archive FILE DIRECTORY NAME: packs one directory.
archive() {
    tar --create --directory "$2" --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w --mtime="@$epoch" \
        --format=gnu "$3" | gzip -6n >"$directory/$1"
}

name=cozy-telemetry-$version-linux-$(uname -m)
Scripts/package/install.sh "$program" "$work" "/$name" "/$name/etc"
# The archive is unpacked into the place that `make install` has by itself.
sed -i "s#/$name/etc/#/usr/local/etc/#; s#/$name/#/usr/local/#" "$work/$name/lib/systemd/system/cozy-telemetry.service"
archive "$name.tar.gz" "$work" "$name"

if command -v dpkg-deb >/dev/null; then
    debian=$work/debian
    Scripts/package/install.sh "$program" "$debian" /usr /etc
    mkdir "$debian/DEBIAN"
    size=$(du -sk --apparent-size "$debian" | cut -f 1)
    sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$(dpkg --print-architecture)/; s/@SIZE@/$size/" deploy/debian/control \
        >"$debian/DEBIAN/control"
    install -m 0755 deploy/debian/{postinst,prerm,postrm} "$debian/DEBIAN/"
    echo /etc/cozy-telemetry/settings.yaml >"$debian/DEBIAN/conffiles"
    gzip -9n "$debian/usr/share/doc/cozy-telemetry/CHANGELOG.md"
    mv "$debian/usr/share/doc/cozy-telemetry/LICENSE" "$debian/usr/share/doc/cozy-telemetry/copyright"
    find "$debian" -exec touch --no-dereference --date="@$epoch" {} +
    SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group -Zgzip -z6 --build "$debian" "$directory" >/dev/null
else
    echo "dist: there is no dpkg-deb here: the Debian package is left out" >&2
fi

for chart in charts/*/; do
    chart=$(basename "$chart")
    cp -R "charts/$chart" "$work/$chart"
    rm -rf "$work/$chart/ci"
    archive "$chart-$(sed -n 's/^version: //p' "charts/$chart/Chart.yaml").tgz" "$work" "$chart"
done

cp .build/sbom/cozy-telemetry.spdx.json "$directory/cozy-telemetry-$version.spdx.json"
(cd "$directory" && sha256sum -- * >"$work/sums" && mv "$work/sums" SHA256SUMS)
chmod 0644 "$directory"/*
