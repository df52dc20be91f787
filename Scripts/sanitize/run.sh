#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command whose programs have a sanitizer: run.sh address|thread COMMAND...
set -eu
sanitizer=$1
shift
if [ "$sanitizer" = thread ]; then
    library=$PWD/.build/thread/mutex.so
    # Swift's own clang knows how Swift calls.
    "$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/clang" -O2 -shared -fPIC -Wall -Werror \
        -o "$library" "$(dirname "$0")/mutex.c" -ldl
    export LD_PRELOAD="$library"
fi
# Foundation leaks the buffer of each empty file that it reads and what it starts programs with: nothing of this project's.
export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
# Memory that is watched is a multiple of what it is else.
export SANITIZER="$sanitizer"
exec "$@"
