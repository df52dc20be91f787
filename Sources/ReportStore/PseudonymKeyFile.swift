// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TelemetryModel

/// The file that holds the pseudonym key: 32 bytes, readable by its owner only, beside the store and not in it.
public enum PseudonymKeyFile {
    /// The name of the file in the data directory.
    public static let name = "pseudonym.key"

    /// Reads the key of a data directory, and makes one where there is no store yet.
    ///
    /// A new key is synced before it is used, as nothing that was stored under it could be recognised without it.
    ///
    /// - Throws: `StoreError`.
    public static func load(fromDirectory directory: String) throws -> Pseudonymizer {
        let path = directory + "/" + name
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            if !FileManager.default.fileExists(atPath: path) {
                guard !FileManager.default.fileExists(atPath: directory + "/telemetry.sqlite") else {
                    throw StoreError.unusable(path: path, reason: "it is missing; put it back from your backup")
                }
                try create(path)
            }
            guard let pseudonymizer = try existing(inDirectory: directory) else {
                throw StoreError.unusable(path: path, reason: "it is missing")
            }
            return pseudonymizer
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.unusable(path: directory, reason: (error as NSError).underlyingReason)
        }
    }

    /// Reads the key of a data directory; nil where it has none.
    ///
    /// - Throws: `StoreError`.
    static func existing(inDirectory directory: String) throws(StoreError) -> Pseudonymizer? {
        let path = directory + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let key: Data
        do {
            key = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unusable(path: path, reason: (error as NSError).underlyingReason)
        }
        guard let pseudonymizer = Pseudonymizer(key: Array(key)) else { throw .malformedKey(path: path) }
        return pseudonymizer
    }

    /// Writes a random key beside its place, syncs it and moves it there.
    private static func create(_ path: String) throws {
        var random = SystemRandomNumberGenerator()
        let key = (0..<Pseudonymizer.keyLength).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let temporary = path + ".new"
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: temporary, contents: Data(key), attributes: attributes) else {
            throw StoreError.unusable(path: path, reason: String(cString: strerror(errno)))
        }
        try DurableFile.sync(temporary)
        try FileManager.default.moveItem(atPath: temporary, toPath: path)
        try DurableFile.sync((path as NSString).deletingLastPathComponent)
    }
}

extension NSError {
    /// The system's own words where there are any; Foundation's say less.
    var underlyingReason: String {
        let underlying = userInfo[NSUnderlyingErrorKey] as? NSError ?? self
        guard underlying.domain == NSPOSIXErrorDomain else { return localizedDescription }
        return String(cString: strerror(Int32(underlying.code)))
    }
}
