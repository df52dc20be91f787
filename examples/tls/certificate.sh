#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a certificate of an authority of this folder, for a try: certificate.sh NAME. Yours come from ACME or your own authority.
set -eu
name=$1
if [ ! -e authority.key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=authority of an example" \
        -keyout authority.key -out authority.crt 2>/dev/null
fi
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name.key.part" -out "$name.csr" 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > "$name.ext"
openssl x509 -req -in "$name.csr" -CA authority.crt -CAkey authority.key -CAcreateserial -days 30 -extfile "$name.ext" \
    -out "$name.crt.part" 2>/dev/null
# Each file is there as a whole or not at all; key and certificate belong together again once both are.
mv "$name.key.part" "$name.key"
mv "$name.crt.part" "$name.crt"
rm "$name.csr" "$name.ext"
