// SPDX-License-Identifier: Apache-2.0

import CPageFiles
import TelemetryModel

/// A file that pages are made of or load, as it was when the executable was built.
struct PageFile: Sendable {
    /// Its name.
    let name: String
    /// Its bytes.
    let bytes: [UInt8]
    /// Its path, which is another one when the file is: so it may be kept for good.
    let path: String

    private init(name: String, bytes: [UInt8]) {
        (self.name, self.bytes) = (name, bytes)
        path = "/assets/\(hexadecimal(sha256(bytes).prefix(6)))/\(name)"
    }

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
}
