// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The file system under SQLite for one directory, as bad as a test wants it: the power fails and what was not synced
/// is lost or torn, the disk is full, operations fail, syncs take their time.
///
/// It is a VFS of SQLite (https://www.sqlite.org/vfs.html) that stands before the system's own in the whole process and
/// lets through whatever is not in the directory of one of these. Inside, files are real files beside which it keeps
/// account of what a disk would hold. Locks and the shared memory of the write-ahead log are the system's own.
package final class FaultyFileSystem: Sendable {
    /// The directory that it stands for.
    package var path: String { directory.path }

    private let directory: TemporaryDirectory
    private let state: Mutex<State>
    private let syncTime: Duration

    /// A file system on a directory of its own.
    ///
    /// - Parameters:
    ///   - seed: Decides what fails and what is lost.
    ///   - fate: What comes of changes that were not synced; nil for one by the seed.
    ///   - syncTime: How long each sync takes.
    ///   - contents: The files that it holds, by name.
    /// - Throws: Where the directory cannot be made, or SQLite does not take the VFS.
    package init(
        seed: UInt64,
        fate: Fate? = nil,
        syncTime: Duration = .zero,
        contents: [String: [UInt8]] = [:]
    ) throws {
        try Self.register()
        directory = try TemporaryDirectory()
        self.syncTime = syncTime
        state = Mutex(State(contents, seed: seed, fate: fate))
        for (name, bytes) in contents {
            try Data(bytes).write(to: URL(fileURLWithPath: directory.path + "/" + name))
        }
        Self.claimed.withLock { $0[directory.path] = Weak(self) }
    }

    deinit {
        Self.claimed.withLock { $0[directory.path] = nil }
    }

    // MARK: What goes wrong

    /// Operations that changed something, so far.
    package var operations: Int { state.withLock { $0.operations } }

    /// Cuts the power at the operation after so many more that change something.
    package func cutPower(after count: Int) {
        state.withLock { $0.powerFailsAt = $0.operations + count + 1 }
    }

    /// Cuts the power now, unless it is off.
    ///
    /// From then on every operation fails.
    package func cutPower() {
        state.withLock { $0.cutPower() }
    }

    /// Whether the power has not failed.
    package var hasPower: Bool { state.withLock { $0.survivors == nil } }

    /// What is there when the power is back, in another directory: the process that was running when it failed may still
    /// have the files of this one open, and must not write to what survived.
    ///
    /// - Parameter seed: The seed of the new one.
    /// - Returns: A file system with power, that holds what survived.
    /// - Throws: Where its directory cannot be made.
    package func afterPowerLoss(seed: UInt64) throws -> FaultyFileSystem {
        cutPower()
        return try ifPowerFailedNow(seed: seed)
    }

    /// What would be there after a power loss, without one.
    ///
    /// - Parameter seed: The seed of the new one.
    /// - Returns: A file system with power, that holds what would have survived.
    /// - Throws: Where its directory cannot be made.
    package func ifPowerFailedNow(seed: UInt64) throws -> FaultyFileSystem {
        var other = state.withLock { $0 }
        other.cutPower()
        return try FaultyFileSystem(seed: seed, syncTime: syncTime, contents: other.survivors ?? [:])
    }

    /// The bytes of all files.
    package var bytes: Int { state.withLock { $0.bytes } }

    /// Lets the files grow by so many bytes and no more; nil for as much as they like.
    package func limitGrowth(to bytes: Int?) {
        state.withLock { $0.capacity = bytes.map { [now = $0.bytes] in now + $0 } ?? .max }
    }

    /// Lets operations fail at random, or none with a probability of 0.
    package func fail(_ operations: Set<Operation>, probability: Double) {
        state.withLock { $0.errors = .init(operations: operations, probability: probability) }
    }

    // MARK: What SQLite does

    /// The file system that a path is in; nil where it is in none of these.
    static func claiming(_ path: String) -> FaultyFileSystem? {
        var directory = (path as NSString).deletingLastPathComponent
        // SQLite follows the link to the temporary directory of macOS.
        if directory.hasPrefix("/private/") { directory.removeFirst("/private".count) }
        return claimed.withLock { $0[directory]?.target }
    }

    /// Decides on an operation that changes nothing.
    func judge(_ operation: Operation) -> Verdict {
        state.withLock { $0.judge(operation) }
    }

    /// Opens a file, or makes it; nil where that fails.
    func open(_ name: String) -> Int? {
        state.withLock { state in
            var file: Int?
            let verdict =
                state.has(name) ? state.judge(.open) : state.perform(.open) { file = $0.file(name) }
            return verdict == .proceed ? file ?? state.file(name) : nil
        }
    }

    /// Deletes a file, and syncs its directory where that is asked for.
    func delete(_ name: String, syncingDirectory: Bool) -> Verdict {
        state.withLock { $0.perform(.delete) { $0.delete(name, syncingDirectory: syncingDirectory) } }
    }

    /// Cuts or grows a file.
    func truncate(_ file: Int, to size: Int) -> Verdict {
        state.withLock { $0.perform(.truncate) { $0.truncate(file, to: size) } }
    }

    /// Syncs a file, and its directory where that is asked for.
    func sync(_ file: Int, withDirectory: Bool) -> Verdict {
        // A slow disk, which is what the caller asked for; nothing is waited for.
        if syncTime > .zero { Thread.sleep(forTimeInterval: syncTime / .seconds(1)) }
        return state.withLock { state in
            let verdict = state.perform(.sync) { state in
                state.sync(file)
                if withDirectory { state.syncDirectory() }
            }
            if verdict == .fail { state.failToSync(file) }
            return verdict
        }
    }

    /// Writes, and says how many of the bytes went through and what to answer.
    func write(_ bytes: [UInt8], to file: Int, at offset: Int) -> (written: Int, verdict: Verdict) {
        state.withLock { state in
            let room = state.room(for: bytes.count, at: offset, of: file)
            let verdict = state.perform(.write) { $0.write(Array(bytes.prefix(room)), to: file, at: offset) }
            guard verdict == .fail else { return (room, verdict) }
            let part = min(room, state.part(of: bytes.count))
            state.write(Array(bytes.prefix(part)), to: file, at: offset)
            return (part, verdict)
        }
    }

    // MARK: What else is done

    /// Brings a file of a path, or the names of all where it is the directory's, to disk; false where that fails.
    package func sync(path: String) -> Bool {
        state.withLock { state in
            let name = path == directory.path ? nil : (path as NSString).lastPathComponent
            let file = name.map { state.file($0) }
            let verdict = state.perform(.sync) { state in
                if let file { state.sync(file) } else { state.syncDirectory() }
            }
            return verdict == .proceed
        }
    }

    /// Gives a file another name, or a second one; false where that fails.
    package func rename(_ path: String, to other: String, keeping isKept: Bool) -> Bool {
        let (name, otherName) = ((path as NSString).lastPathComponent, (other as NSString).lastPathComponent)
        return state.withLock { $0.perform(.rename) { $0.name(name, as: otherName, keeping: isKept) } } == .proceed
    }

    /// Takes a name away; false where that fails.
    package func unlink(_ path: String) -> Bool {
        delete((path as NSString).lastPathComponent, syncingDirectory: false) == .proceed
    }

    // MARK: Who stands for what

    /// The file systems by their directories.
    private static let claimed = Mutex<[String: Weak]>([:])

    /// Does not keep a file system that nobody uses any more.
    private struct Weak: Sendable {
        /// The file system, while it is in use.
        private(set) weak var target: FaultyFileSystem?

        init(_ target: FaultyFileSystem) { self.target = target }
    }
}

/// Why the faulty file system cannot be used: SQLite does not take it.
struct VFSError: Error {
    /// What SQLite answered.
    let code: Int32
}
