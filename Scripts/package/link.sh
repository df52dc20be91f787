#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links what SwiftPM compiled once more, into a program that needs nothing of the machine it runs on: no library, no
# interpreter. Takes seconds and compiles nothing, as -static-executable given to SwiftPM would, in debug too.
#
# usage: link.sh DIRECTORY-OF-THE-BUILD OUTPUT
set -euo pipefail
build=$1 output=$2
[ "$output" -nt "$build/cozy-telemetry" ] && exit 0
mkdir -p "$(dirname "$output")"
# What the modules of the shared Foundation do not name, as it is inside of it there.
foundation=(-lCoreFoundation -l_FoundationICU -l_FoundationCollections -l_FoundationCShims)
# SwiftPM gives main another name, so that tests can link it.
options=()
for option in -z pack-relative-relocs --gc-sections --strip-all --defsym=main=cozy_telemetry_main; do
    options+=(-Xlinker "$option")
done
swiftc -emit-executable -static-executable -Xclang-linker -static-pie -use-ld=lld -o "$output.part" \
    "@$build/cozy-telemetry.product/Objects.LinkFileList" -lsqlite3 -lz "${foundation[@]}" "${options[@]}"
mv "$output.part" "$output"
