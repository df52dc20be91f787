// SPDX-License-Identifier: Apache-2.0

import FleetSimulator

extension FaultyFileSystem {
    /// What SQLite does with files.
    package enum Operation: CaseIterable, Sendable {
        case open, read, write, truncate, sync, delete, rename
    }

    /// What is to happen instead of an operation.
    enum Verdict: Equatable {
        case proceed
        /// It fails now, and may work the next time.
        case fail
        /// The machine is off.
        case powerIsOff
    }

    /// The files of a directory, and what is planned to go wrong with them.
    struct State {
        /// Operations that fail at random.
        struct Errors {
            var operations: Set<Operation>
            var probability: Double
        }

        /// All files that ever were.
        private var files: [Contents] = []
        /// Names as processes see them, with the positions of their files.
        private var names: [String: Int] = [:]
        /// Names as the disk has them.
        private var durableNames: [String: Int] = [:]
        /// Decides.
        private var random: SeededGenerator
        /// Operations that change something, so far.
        private(set) var operations = 0
        /// What is on disk, from the moment the power failed.
        private(set) var survivors: [String: [UInt8]]?
        /// What comes of unsynced changes; nil for one by the seed.
        private let fate: Fate?

        /// The power fails at this operation.
        var powerFailsAt: Int?
        /// What fails at random.
        var errors: Errors?
        /// So many bytes fit.
        var capacity = Int.max

        /// Files that are on disk.
        init(_ contents: [String: [UInt8]], seed: UInt64, fate: Fate?) {
            random = SeededGenerator(seed: seed)
            self.fate = fate
            for (name, bytes) in contents {
                names[name] = files.count
                files.append(Contents(durable: bytes))
            }
            durableNames = names
        }

        /// The bytes of all files.
        var bytes: Int { names.values.reduce(0) { $0 + files[$1].size } }

        /// Decides on an operation that changes nothing.
        mutating func judge(_ operation: Operation) -> Verdict {
            if survivors != nil { return .powerIsOff }
            guard let errors, errors.operations.contains(operation) else { return .proceed }
            return Double.random(in: 0..<1, using: &random) < errors.probability ? .fail : .proceed
        }

        /// Does what an operation changes, unless it fails.
        ///
        /// Where the power fails at it, it has happened like all that was not synced: perhaps, or in part.
        mutating func perform(_ operation: Operation, _ change: (inout Self) -> Void) -> Verdict {
            let verdict = judge(operation)
            guard verdict == .proceed else { return verdict }
            operations += 1
            if let powerFailsAt, operations >= powerFailsAt {
                if operation != .sync { change(&self) }
                cutPower()
                return .powerIsOff
            }
            change(&self)
            return .proceed
        }

        /// Forgets what was not synced, or most of it.
        mutating func cutPower() {
            guard survivors == nil else { return }
            let fate = fate ?? Fate.allCases.randomElement(using: &random) ?? .mixed
            var found: [String: [UInt8]] = [:]
            for name in Set(names.keys).union(durableNames.keys).sorted() {
                let isNew =
                    switch fate {
                    case .lost: false
                    case .kept: true
                    case .mixed: Bool.random(using: &random)
                    }
                guard let file = isNew ? names[name] : durableNames[name] else { continue }
                found[name] = files[file].afterPowerLoss(fate, using: &random)
            }
            survivors = found
        }
    }
}

// MARK: - Changes

extension FaultyFileSystem.State {
    /// The file of a name, made where there is none.
    mutating func file(_ name: String) -> Int {
        if let file = names[name] { return file }
        names[name] = files.count
        files.append(.init())
        return files.count - 1
    }

    /// Whether processes see a file of the name.
    func has(_ name: String) -> Bool { names[name] != nil }

    /// Takes a name away; the file stays with who has it open.
    mutating func delete(_ name: String, syncingDirectory: Bool) {
        names[name] = nil
        if syncingDirectory { syncDirectory() }
    }

    /// Gives a file a name, in the place of what has it; nothing where there is no such file.
    mutating func name(_ name: String, as other: String, keeping isKept: Bool) {
        guard let file = names[name] else { return }
        names[other] = file
        if !isKept { names[name] = nil }
    }

    /// Brings what files are called to disk.
    mutating func syncDirectory() { durableNames = names }

    /// Brings a file to disk.
    mutating func sync(_ file: Int) { files[file].sync() }

    /// Fails to.
    mutating func failToSync(_ file: Int) { files[file].failToSync(using: &random) }

    /// Cuts or grows a file.
    mutating func truncate(_ file: Int, to size: Int) { files[file].truncate(to: size) }

    /// Writes to a file.
    mutating func write(_ bytes: [UInt8], to file: Int, at offset: Int) { files[file].write(bytes, at: offset) }

    /// How many of so many bytes at an offset fit on the disk.
    func room(for count: Int, at offset: Int, of file: Int) -> Int {
        let growth = max(0, offset + count - files[file].size)
        return max(0, count - max(0, growth - max(0, capacity - bytes)))
    }

    /// A part of so many bytes, for a write that fails midway.
    mutating func part(of count: Int) -> Int { Int.random(in: 0...count, using: &random) }
}
