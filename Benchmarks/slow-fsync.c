// SPDX-License-Identifier: Apache-2.0
// A disk that takes its time: loaded with LD_PRELOAD, it lets every fsync and fdatasync take SLOW_FSYNC_US
// microseconds longer (5,000 if that is not set).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int descriptor) {
    const char *text = getenv("SLOW_FSYNC_US");
    // The wait is what this is for.
    usleep(text ? (useconds_t)atoi(text) : 5000);
    int (*call)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return call(descriptor);
}

int fsync(int descriptor) { return slowly("fsync", descriptor); }

int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
