// SPDX-License-Identifier: Apache-2.0

import Foundation
import ReportStore

/// A file that several processes may use at a time, under a lock as long as it is open.
struct AccessFile: ~Copyable {
    /// How it is opened.
    enum Mode {
        /// To read it, which others may too; it has to be there.
        case read
        /// To read and write it alone; it is made where it is missing, for its owner only.
        case write
    }

    private let path: String
    private let descriptor: Int32

    /// Opens a file and waits for its lock.
    ///
    /// - Throws: `AccessError.unusable`.
    init(_ path: String, _ mode: Mode) throws(AccessError) {
        let flags = mode == .read ? O_RDONLY : O_RDWR | O_CREAT
        let file = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Self.failure(path) }
        while flock(file, mode == .read ? LOCK_SH : LOCK_EX) != 0 {
            guard errno == EINTR else {
                let failure = Self.failure(path)
                close(file)
                throw failure
            }
        }
        // Where root looks after the directory of another user, that user's backend goes on with the file.
        if mode == .write { _ = DurableFile.give(file, toOwnerOf: DurableFile.directory(of: path)) }
        self.path = path
        descriptor = file
    }

    deinit {
        // Closing gives the lock free.
        close(descriptor)
    }

    /// The size in bytes.
    var size: Int {
        get throws(AccessError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw failure }
            return Int(status.st_size)
        }
    }

    /// Lets others write while the file is still read.
    func unlock() { flock(descriptor, LOCK_UN) }

    /// Reads a part of the file, to its end at the most.
    func read(from offset: Int, count: Int) throws(AccessError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let read = bytes.withUnsafeMutableBytes { buffer in
                // The buffer is only written between these bounds.
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw failure }
            if read == 0 { break }
            filled += read
        }
        return Array(bytes.prefix(filled))
    }

    /// Writes bytes at a place and waits until they are on disk; whatever stood behind it is gone.
    ///
    /// Where that fails, the file ends at the place again.
    func write(_ bytes: [UInt8], at offset: Int) throws(AccessError) {
        guard ftruncate(descriptor, off_t(offset)) == 0 else { throw failure }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                // The buffer is only read between these bounds.
                pwrite(
                    descriptor,
                    buffer.baseAddress.map { $0 + written },
                    bytes.count - written,
                    off_t(offset + written)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw cutting(to: offset) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw cutting(to: offset) }
    }

    /// Puts bytes in the place of a file; whenever the power fails, the old file is there or the new one.
    static func replace(_ path: String, with bytes: [UInt8]) throws(AccessError) {
        let new = path + ".new"
        let file = try Self(new, .write)
        try file.write(bytes, at: 0)
        guard rename(new, path) == 0 else { throw failure(path) }
        try syncDirectory(of: path)
    }

    /// Waits until the name of a file is on disk.
    static func syncDirectory(of path: String) throws(AccessError) {
        let directory = DurableFile.directory(of: path)
        let descriptor = open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(directory) }
    }

    private func cutting(to offset: Int) -> AccessError {
        let failure = failure
        ftruncate(descriptor, off_t(offset))
        return failure
    }

    private var failure: AccessError { Self.failure(path) }

    /// The error of the last system call, about a path.
    private static func failure(_ path: String) -> AccessError {
        .unusable(path: path, reason: String(cString: strerror(errno)))
    }
}

/// What tells one state of a file from another without reading it.
struct FileState: Equatable {
    private let inode: UInt64
    private let size: Int64
    private let modified: [Int]
    private let changed: [Int]

    /// The state of a file; nil where there is none.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
}
