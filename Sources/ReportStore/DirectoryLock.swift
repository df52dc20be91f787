// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Keeps a data directory for one process: a lock on a file in it that goes with the process, however that ends.
final class DirectoryLock: Sendable {
    /// The open file that is locked; -1 once it is released.
    private let descriptor: Mutex<Int32>

    /// Takes the lock.
    ///
    /// - Throws: `StoreError.inUse` with the owner's process id, or `StoreError.unusable`.
    init(directory: String) throws(StoreError) {
        let path = directory + "/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .unusable(path: path, reason: String(cString: strerror(errno))) }
        // Also where root looks after the directory of another user, who could not open the file otherwise. Where that is not
        // allowed, as in some containers, root goes on with a lock of its own.
        _ = DurableFile.give(file, toOwnerOf: directory)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let owner = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            close(file)
            throw .inUse(directory: directory, owner: owner)
        }
        let owner = Array("\(getpid())".utf8)
        guard ftruncate(file, 0) == 0, write(file, owner, owner.count) == owner.count else {
            close(file)
            throw .unusable(path: path, reason: String(cString: strerror(errno)))
        }
        descriptor = Mutex(file)
    }

    /// Keeps others from taking the lock as long as this lives; nil where somebody has it.
    ///
    /// It writes nothing. A directory without a lock file was never anybody's.
    init?(readersOf directory: String) {
        let file = open(directory + "/lock", O_RDONLY | O_CLOEXEC)
        guard file < 0 || flock(file, LOCK_SH | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        descriptor = Mutex(file)
    }

    deinit { release() }

    /// Whether the directory is still this process's.
    var isHeld: Bool { descriptor.withLock { $0 >= 0 } }

    /// Gives the directory free.
    func release() {
        descriptor.withLock { file in
            guard file >= 0 else { return }
            // Closing alone would leave the lock with a child that was forked and has not yet started its program.
            flock(file, LOCK_UN)
            close(file)
            file = -1
        }
    }
}
