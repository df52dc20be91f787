// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Files that are there after the power fails.
package enum DurableFile {
    /// Waits until a file or directory is on disk.
    static func sync(_ path: String, _ calls: FileCalls = .system) throws(StoreError) {
        guard calls.sync(path) else { throw failure(path) }
    }

    /// Gives an open file to the owner and the group of a directory, where this process is root and they are others; says
    /// whether it is theirs then.
    package static func give(_ descriptor: Int32, toOwnerOf directory: String) -> Bool {
        var (file, owner) = (stat(), stat())
        guard geteuid() == 0, fstat(descriptor, &file) == 0, stat(directory, &owner) == 0 else { return true }
        if file.st_uid == owner.st_uid, file.st_gid == owner.st_gid { return true }
        return fchown(descriptor, owner.st_uid, owner.st_gid) == 0
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
    package static func directory(of path: String) -> String { (path as NSString).deletingLastPathComponent }
}
