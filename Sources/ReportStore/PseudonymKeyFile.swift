// SPDX-License-Identifier: Apache-2.0

import Foundation
public import TelemetryModel

/// The file that holds the pseudonym key: 32 bytes, readable by its owner only, and never in the store.
///
/// It is beside the store, and made with it, unless another file is given, which is never made.
public struct PseudonymKeyFile: Sendable {
    /// The name of the file in the data directory.
    public static let name = "pseudonym.key"

    /// The path.
    public let path: String
    /// The data directory.
    private let directory: String
    private let isGiven: Bool

    /// The key of a data directory, in a file elsewhere where one is given.
    public init(directory: String, givenAt path: String? = nil) {
        self.directory = directory
        self.path = path ?? directory + "/" + Self.name
        isGiven = path != nil
    }

    /// Reads the key of a data directory, and makes one where there is no store yet.
    ///
    /// - Throws: `StoreError`.
    public static func load(fromDirectory directory: String) throws -> Pseudonymizer {
        try Self(directory: directory).load()
    }

    /// Reads the key, and makes one where there is no store yet and none was given.
    ///
    /// A new key is synced before it is used, as nothing that was stored under it could be recognised without it.
    ///
    /// - Throws: `StoreError`.
    public func load() throws -> Pseudonymizer {
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            if !isGiven, !FileManager.default.fileExists(atPath: path) {
                guard !FileManager.default.fileExists(atPath: directory + "/" + ReportStore.fileName) else {
                    throw StoreError.missingKey(path: path)
                }
                try Self.create(path)
            }
            guard let pseudonymizer = try existing() else { throw StoreError.missingKey(path: path) }
            return pseudonymizer
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.unusable(path: directory, reason: (error as NSError).underlyingReason)
        }
    }

    /// Reads the key; nil where the file does not exist.
    ///
    /// - Throws: `StoreError`.
    package func existing() throws(StoreError) -> Pseudonymizer? {
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

    /// Reads the key that was given, or puts a new one in the place of the directory's.
    ///
    /// The former key is gone then, for good; that is what a rotation is for.
    ///
    /// - Throws: `StoreError`.
    func rotated() throws -> Pseudonymizer {
        if !isGiven { try Self.create(path) }
        guard let key = try existing() else { throw StoreError.missingKey(path: path) }
        return key
    }

    /// Writes a random key beside its place, syncs it and moves it there, in the place of one that is there.
    private static func create(_ path: String) throws {
        var random = SystemRandomNumberGenerator()
        let key = (0..<Pseudonymizer.keyLength).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let temporary = path + ".new"
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: temporary, contents: Data(key), attributes: attributes) else {
            throw StoreError.unusable(path: path, reason: String(cString: strerror(errno)))
        }
        // Where root rotates, the backend's user goes on with it.
        let file = open(temporary, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        guard file >= 0, DurableFile.give(file, toOwnerOf: DurableFile.directory(of: path)) else {
            throw StoreError.unusable(path: path, reason: String(cString: strerror(errno)))
        }
        try DurableFile.sync(temporary)
        guard rename(temporary, path) == 0 else {
            throw StoreError.unusable(path: path, reason: String(cString: strerror(errno)))
        }
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
