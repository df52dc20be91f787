// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Reads the small files that a configuration consists of.
enum ConfigurationFile {
    /// Whether there is a file.
    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// The bytes of a file.
    static func bytes(_ path: String) throws(KubernetesConfigurationError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw .unreadable(file: path, reason: reason(of: error))
        }
    }

    /// The text of a file without the blanks and line ends around it.
    static func text(_ path: String) throws(KubernetesConfigurationError) -> String {
        let isBlank: (Character) -> Bool = \.isWhitespace
        let text = String(decoding: try bytes(path), as: UTF8.self).drop(while: isBlank)
        return String(text.reversed().drop(while: isBlank).reversed())
    }

    /// A path of a file that is named in another: relative ones are relative to the folder of that file.
    static func path(_ path: String, namedIn file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    private static func reason(of error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
        case .fileReadNoPermission: "permission denied"
        default: "it is not a readable file"
        }
    }
}
