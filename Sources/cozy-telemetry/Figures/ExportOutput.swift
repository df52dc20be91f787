// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where an export goes: standard output, or a file that is there as a whole or not at all.
struct ExportOutput {
    private let handle: FileHandle
    /// The file under the name that it has until it is whole, and its own; nil for standard output.
    private let names: (partial: String, whole: String)?

    /// Opens it.
    ///
    /// - Parameter path: The path of a file, which is replaced; nil for standard output.
    /// - Throws: `CommandFailure` where the file cannot be written.
    init(_ path: String?) throws {
        guard let path else {
            (handle, names) = (.standardOutput, nil)
            return
        }
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CommandFailure.usage("--output: \(path) is no file; without --output it goes to standard output")
            }
        } else if errno != ENOENT || path.isEmpty {
            throw CommandFailure.failed("\(path): \(String(cString: strerror(errno)))")
        }
        let whole = Self.target(of: path)
        let partial = "\(whole).\(UUID().uuidString.prefix(8)).partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw CommandFailure.failed("\(path): \(String(cString: strerror(errno)))") }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        names = (partial, whole)
    }

    /// Where a path leads that goes through links, also where nothing is there yet; links in a circle are not for it.
    private static func target(of path: String) -> String {
        var path = path
        while let link = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
            let directory = (path as NSString).deletingLastPathComponent
            path = link.hasPrefix("/") ? link : (directory.isEmpty ? "" : directory + "/") + link
        }
        return path
    }

    /// Writes a part.
    ///
    /// - Throws: `CommandFailure`.
    func write(_ text: String) throws {
        guard let names else { return Terminal.write(Array(text.utf8)) }
        do {
            try handle.write(contentsOf: Data(text.utf8))
        } catch {
            throw CommandFailure.failed("\(names.whole): \(SystemError(behind: error).words)")
        }
    }

    /// Gives a file its name, once all of it is on disk.
    ///
    /// - Throws: `CommandFailure`.
    func keep() throws {
        guard let names else { return }
        guard fsync(handle.fileDescriptor) == 0, rename(names.partial, names.whole) == 0 else {
            throw CommandFailure.failed("\(names.whole): \(String(cString: strerror(errno)))")
        }
    }

    /// Removes what is left of a file that was not kept.
    func discard() {
        if let names { unlink(names.partial) }
    }
}
