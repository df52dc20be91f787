// SPDX-License-Identifier: Apache-2.0

import CPageFiles
import TelemetryModel

/// A file that pages are made of or load, as it was when the executable was built.
struct PageFile: Sendable {
    /// Its name.
    let name: String
    /// Its bytes.
    let bytes: [UInt8]

    /// Its path; all have another one when any of them is another, so that they may be kept for good and load each other.
    var path: String { "/assets/\(Self.version)/\(name)" }

    /// Its bytes as text.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// All files by name.
    static let all: [String: PageFile] = {
        var files: [String: PageFile] = [:]
        var position = 0
        while let file = page_file_at(position)?.pointee {
            // Constants of the executable: they are there for as long as it is.
            let bytes = Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
            let name = String(cString: file.name)
            files[name] = PageFile(name: name, bytes: bytes)
            position += 1
        }
        return files
    }()

    /// A file that is there.
    static func named(_ name: String) -> PageFile {
        guard let file = all[name] else { preconditionFailure("\(name) is not built in") }
        return file
    }

    private static let version: String = {
        let digests = all.sorted { $0.key < $1.key }.flatMap { sha256($0.value.bytes) }
        return hexadecimal(sha256(digests).prefix(6))
    }()
}
