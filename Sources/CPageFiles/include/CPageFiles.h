// SPDX-License-Identifier: Apache-2.0
#ifndef COZY_PAGE_FILES_H
#define COZY_PAGE_FILES_H

#include <stddef.h>

/// A file of `files/`, as it is there; it is never freed.
typedef struct {
    const char *_Nonnull name;
    const unsigned char *_Nonnull bytes;
    size_t count;
} page_file;

/// One file after the other; NULL after the last.
const page_file *_Nullable page_file_at(size_t position);

#endif
