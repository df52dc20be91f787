// SPDX-License-Identifier: Apache-2.0

import FleetSimulator

extension FaultyFileSystem {
    /// What comes of changes that were not synced when the power fails.
    package enum Fate: CaseIterable, Sendable {
        /// All of them are lost.
        case lost
        /// All of them had reached the disk.
        case kept
        /// Some had, in any order, and some sectors of others.
        case mixed
    }

    /// One file as the disk has it, and what was done to it since it was last synced.
    struct Contents {
        /// A change that may be lost.
        private enum Change {
            case write(offset: Int, bytes: [UInt8])
            case truncate(size: Int)
        }

        /// What the disk has.
        private var durable: [UInt8]
        /// What was done since the last sync, in order.
        private var pending: [Change] = []
        /// The size that whoever reads the file sees.
        private(set) var size: Int

        /// What a disk writes as a whole or not at all.
        private static let sector = 512

        /// A file that is on disk.
        init(durable: [UInt8] = []) {
            self.durable = durable
            size = durable.count
        }

        /// Writes, for now.
        mutating func write(_ bytes: [UInt8], at offset: Int) {
            pending.append(.write(offset: offset, bytes: bytes))
            size = max(size, offset + bytes.count)
        }

        /// Cuts or grows the file, for now.
        mutating func truncate(to newSize: Int) {
            pending.append(.truncate(size: newSize))
            size = newSize
        }

        /// Brings everything to disk.
        mutating func sync() {
            for change in pending { Self.apply(change, to: &durable) }
            pending = []
        }

        /// A sync that failed: some of it is on disk, and the rest will not be, however often the file is synced again.
        ///
        /// Linux marks pages that it could not write as clean.
        mutating func failToSync(using random: inout SeededGenerator) {
            durable = afterPowerLoss(.mixed, using: &random)
            pending = []
        }

        /// What is found when the power is back.
        func afterPowerLoss(_ fate: Fate, using random: inout SeededGenerator) -> [UInt8] {
            guard fate != .lost else { return durable }
            var bytes = durable
            for change in pending {
                let isWhole = fate == .kept || Int.random(in: 0..<3, using: &random) == 0
                if isWhole {
                    Self.apply(change, to: &bytes)
                } else if Bool.random(using: &random) {
                    Self.applyTorn(change, to: &bytes, using: &random)
                }
            }
            // The length may be there without the data.
            if bytes.count < size, Bool.random(using: &random) { Self.grow(&bytes, to: size) }
            return bytes
        }

        /// Does a change as a whole.
        private static func apply(_ change: Change, to bytes: inout [UInt8]) {
            switch change {
            case .write(let offset, let new):
                grow(&bytes, to: offset + new.count)
                bytes.replaceSubrange(offset..<offset + new.count, with: new)
            case .truncate(let size):
                grow(&bytes, to: size)
                bytes.removeLast(bytes.count - size)
            }
        }

        /// Writes some of the sectors that a write touches; nothing of a truncation.
        private static func applyTorn(_ change: Change, to bytes: inout [UInt8], using random: inout SeededGenerator) {
            guard case .write(let offset, let new) = change else { return }
            var start = 0
            while start < new.count {
                let end = min(new.count, (offset + start) / sector * sector + sector - offset)
                if Bool.random(using: &random) {
                    apply(.write(offset: offset + start, bytes: Array(new[start..<end])), to: &bytes)
                }
                start = end
            }
        }

        /// Makes it at least so long, with zeros.
        private static func grow(_ bytes: inout [UInt8], to size: Int) {
            guard bytes.count < size else { return }
            bytes += [UInt8](repeating: 0, count: size - bytes.count)
        }
    }
}
