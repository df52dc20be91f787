// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What is done with the names and the syncs of files beside what SQLite does; tests let the power fail in between.
///
/// Each says whether it was done; where not, `errno` says why.
struct FileCalls: Sendable {
    /// Waits until a file or directory is on disk.
    var sync: @Sendable (_ path: String) -> Bool
    /// Gives a file another name, in the place of what has it.
    var rename: @Sendable (_ path: String, _ name: String) -> Bool
    /// Gives a file a second name.
    var link: @Sendable (_ path: String, _ name: String) -> Bool
    /// Takes a name away.
    var unlink: @Sendable (_ path: String) -> Bool

    /// The operating system's.
    static let system = Self(
        sync: { path in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            return descriptor >= 0 && fsync(descriptor) == 0
        },
        rename: { Foundation.rename($0, $1) == 0 },
        link: { Foundation.link($0, $1) == 0 },
        unlink: { Foundation.unlink($0) == 0 }
    )
}
