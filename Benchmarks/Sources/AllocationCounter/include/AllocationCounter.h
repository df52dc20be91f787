// SPDX-License-Identifier: Apache-2.0

/// How many allocations all threads of the process have made.
unsigned long allocation_count(void);
