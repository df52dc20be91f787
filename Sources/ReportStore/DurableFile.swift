// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Files that are there after the power fails.
enum DurableFile {
    /// Waits until a file or directory is on disk.
    static func sync(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else { throw failure(path) }
    }

    /// The error of the last system call, about a path.
    static func failure(_ path: String) -> StoreError {
        .unusable(path: path, reason: String(cString: strerror(errno)))
    }

    /// The size of a file in bytes; nil where there is none.
    static func size(of path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue
    }

    /// The absolute path of one that may be relative.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).path }

    /// The directory that holds a file.
    static func directory(of path: String) -> String { (path as NSString).deletingLastPathComponent }
}
