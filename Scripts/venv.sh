#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a Python environment with what a list names, from PyPI: venv.sh DIRECTORY REQUIREMENTS
set -eu
directory=$1 requirements=$2
echo "venv: installing $(grep -v '^#' "$requirements" | tr '\n' ' ')" >&2
rm -rf "$directory"
python3 -m venv "$directory"
if ! "$directory/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >"$directory/log" 2>&1; then
    tail -n 5 "$directory/log" >&2
    echo "venv: PyPI did not give what $requirements names; see PIP_INDEX_URL for another index" >&2
    exit 1
fi
touch "$directory/done"
