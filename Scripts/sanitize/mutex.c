// SPDX-License-Identifier: Apache-2.0
// Tells the thread sanitizer what Swift's Mutex does where a lock is contended.
//
// It is the kernel then that hands the lock on, for the library that has the slow paths, which is not instrumented. The
// sanitizer sees nothing of it, and takes whatever the lock keeps apart for a race. This stands before it, by LD_PRELOAD.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

// Synchronization._MutexHandle._lockSlow(UInt32) and _unlockSlow(), as they are mangled.
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

typedef SWIFT void LockSlow(uint32_t thread, SELF lock);
typedef SWIFT void UnlockSlow(SELF lock);

// Not there in programs without the sanitizer.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

SWIFT void lock_slow(uint32_t thread, SELF lock) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF lock) __asm__(UNLOCK_SLOW);

static LockSlow *original_lock;
static UnlockSlow *original_unlock;

__attribute__((constructor)) static void find(void) {
    original_lock = (LockSlow *)dlsym(RTLD_NEXT, LOCK_SLOW);
    original_unlock = (UnlockSlow *)dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

SWIFT void lock_slow(uint32_t thread, SELF lock) {
    original_lock(thread, lock);
    if (__tsan_acquire) __tsan_acquire(lock);
}

SWIFT void unlock_slow(SELF lock) {
    if (__tsan_release) __tsan_release(lock);
    original_unlock(lock);
}
