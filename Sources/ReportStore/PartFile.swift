// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A file that is written beside its place, as `NAME.part`, and moved there once it is whole and on disk.
///
/// Only its owner may read it. It is removed where it is not moved; one that a killed process left is written over.
final class PartFile: Sendable {
    let path: String
    private let destination: String
    private let descriptor: Int32
    private let isMoved = Mutex(false)
    private let calls: FileCalls

    /// Makes the file, empty.
    ///
    /// - Throws: `StoreError.cannotCopy`, also where another process writes it.
    init(for destination: String, calls: FileCalls = .system) throws(StoreError) {
        self.destination = destination
        self.calls = calls
        path = destination + ".part"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            // It is not this one's to remove.
            isMoved.withLock { $0 = true }
            throw Self.failure(path)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, isInPlace else {
            close(descriptor)
            isMoved.withLock { $0 = true }
            throw .cannotCopy(path: path, reason: "another process writes it; wait for its end, or give another FILE")
        }
        guard ftruncate(descriptor, 0) == 0, fchmod(descriptor, 0o600) == 0 else { throw Self.failure(path) }
    }

    deinit {
        guard !isMoved.withLock({ $0 }) else { return }
        unlink(path)
        close(descriptor)
    }

    /// The size in bytes.
    var size: Int { DurableFile.size(of: path) ?? 0 }

    /// Waits until the file is on disk, and moves it to its place.
    ///
    /// - Throws: `StoreError.cannotCopy`.
    func move() throws(StoreError) {
        guard calls.sync(path), calls.rename(path, destination) else { throw Self.failure(destination) }
        isMoved.withLock { $0 = true }
        close(descriptor)
        do {
            try DurableFile.sync(DurableFile.directory(of: destination), calls)
        } catch {
            throw Self.failure(destination)
        }
    }

    /// Gives the file to the owner of a directory, where this process may.
    func giveToOwner(of directory: String) throws(StoreError) {
        guard DurableFile.give(descriptor, toOwnerOf: directory) else { throw Self.failure(path) }
    }

    /// Whether the locked file is the one at the path; another process may have moved it away before.
    private var isInPlace: Bool {
        var (own, other) = (stat(), stat())
        guard fstat(descriptor, &own) == 0, lstat(path, &other) == 0 else { return false }
        return own.st_dev == other.st_dev && own.st_ino == other.st_ino
    }

    private static func failure(_ path: String) -> StoreError {
        .cannotCopy(path: path, reason: String(cString: strerror(errno)) + "; give another FILE, or mend it")
    }
}

extension StoreReader {
    /// Writes everything that the store holds at one moment into a file, and says how far that is.
    ///
    /// - Parameters:
    ///   - part: An empty file.
    ///   - progress: Called a few times a second with the bytes that are written, of so many.
    /// - Returns: The bytes written.
    /// - Throws: `StoreError`.
    func copy(
        into part: PartFile,
        progress: @escaping @Sendable (_ bytes: Int, _ all: Int) -> Void
    ) async throws(StoreError) -> Int {
        let all = try await usedBytes()
        let watch = Task {
            // SQLite says nothing while it copies; the size of the file does. It ends when it is cancelled.
            while (try? await Task.sleep(for: .milliseconds(200))) != nil { progress(min(part.size, all), all) }
        }
        defer { watch.cancel() }
        do {
            try await write(into: part.path)
        } catch {
            throw StoreError(copying: path, to: part.path, error)
        }
        return part.size
    }
}
