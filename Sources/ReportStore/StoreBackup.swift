// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a backup came to.
public struct StoreBackup: Equatable, Sendable {
    /// Bytes of the copy.
    public var bytes: Int
    /// How long it took.
    public var duration: Duration
}

extension StoreMaintenance {
    /// Writes a copy of what the store holds at one moment, also while a backend runs.
    ///
    /// The copy is one compact file, readable by its owner only. It does not have the key in it.
    ///
    /// - Parameters:
    ///   - file: The path of the copy.
    ///   - isReplacing: Whether a file that is there may go.
    ///   - progress: Called with how far it is.
    /// - Returns: What it came to.
    /// - Throws: `StoreError`; then what was at the path is as it was.
    public func backUp(
        to file: String,
        replacing isReplacing: Bool = false,
        progress: @escaping @Sendable (Progress) -> Void
    ) async throws(StoreError) -> StoreBackup {
        let file = DurableFile.absolute(file)
        let begin = ContinuousClock.now
        try refuse(file, isReplacing)
        return try await withReader { reader throws(StoreError) in
            let part = try PartFile(for: file)
            let bytes = try await reader.copy(into: part) { progress(.copying(bytes: $0, of: $1)) }
            // Somebody else may have made it meanwhile.
            try refuse(file, isReplacing)
            try part.move()
            progress(.copying(bytes: bytes, of: bytes))
            return StoreBackup(bytes: bytes, duration: ContinuousClock.now - begin)
        }
    }

    /// Refuses a file that is there, and the backend's own.
    private func refuse(_ file: String, _ isReplacing: Bool) throws(StoreError) {
        let own = ["", "-wal", "-shm", "-journal"].map { ReportStore.fileName + $0 } + [PseudonymKeyFile.name, "lock"]
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let isBeside = resolved(DurableFile.directory(of: file)) == resolved(directory)
        if isBeside, own.contains((file as NSString).lastPathComponent) {
            throw .cannotCopy(path: file, reason: "it is the backend's own; give another FILE")
        }
        for log in ["-wal", "-journal"] where DurableFile.size(of: file + log) != nil {
            throw .cannotCopy(path: file + log, reason: "it would be taken for the log of the copy; move it away")
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) else { return }
        if isDirectory.boolValue { throw .cannotCopy(path: file, reason: "it is a directory; give a FILE in it") }
        guard isReplacing else {
            throw .cannotCopy(path: file, reason: "it exists; give another FILE, or --force to replace it")
        }
    }
}
