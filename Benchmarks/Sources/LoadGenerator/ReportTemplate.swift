// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A report of which every cluster has its own variant: its own `uid`s and counts.
struct ReportTemplate {
    /// A line of the report.
    private struct Line {
        /// What stands before, between and after the line's uids, up to the value, in `text`.
        var pieces: [Range<Int>]
        /// The line's place among those that count something; nil for one whose value is always 1.
        var countIndex: Int?
    }

    private let text: [UInt8]
    private let lines: [Line]
    private let counts: Int
    private let seed: UInt64
    /// The lines in the order in which they are written; kept so that a report needs no memory of its own.
    private var order: [Int]

    /// Reads a report.
    ///
    /// - Throws: `LoadError` where a line has no value, or no line counts anything.
    init(file: String, seed: UInt64) throws {
        text = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        var lines: [Line] = []
        var counts = 0
        for line in text.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            guard let space = line.lastIndex(of: UInt8(ascii: " ")) else { throw LoadError("a line has no value") }
            let isCount = !line.starts(with: Array("cozy_cluster_info".utf8))
            let pieces = Self.pieces(of: line[...space])
            lines.append(Line(pieces: pieces, countIndex: isCount ? counts : nil))
            if isCount { counts += 1 }
        }
        guard counts > 0 else { throw LoadError("\(file) has no line that counts anything") }
        self.lines = lines
        self.counts = counts
        self.seed = seed
        order = Array(lines.indices)
    }

    /// The parts of a line around the values of its `uid` labels.
    private static func pieces(of line: ArraySlice<UInt8>) -> [Range<Int>] {
        let label = Array("uid=\"".utf8)
        var pieces: [Range<Int>] = []
        var start = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            guard line[index...].starts(with: label), let end = line[(index + 5)...].firstIndex(of: UInt8(ascii: "\""))
            else {
                index += 1
                continue
            }
            pieces.append(start..<index + 5)
            start = end
            index = end
        }
        return pieces + [start..<line.endIndex]
    }

    /// Writes a cluster's report.
    ///
    /// - Parameters:
    ///   - cluster: The cluster's number.
    ///   - version: How often one of its counts has changed.
    ///   - shuffle: What the order of the lines derives from; nil for the order of the file.
    ///   - body: Where the report goes; it is emptied first.
    mutating func write(cluster: Int, version: Int, shuffle: UInt64?, to body: inout [UInt8]) {
        body.removeAll(keepingCapacity: true)
        for place in order.indices { order[place] = place }
        if let shuffle {
            var randomness = Randomness(seed, UInt64(cluster), shuffle)
            for place in order.indices.dropFirst() { order.swapAt(place, randomness.below(place + 1)) }
        }
        for index in order {
            write(line: index, cluster: cluster, version: version, to: &body)
        }
    }

    private func write(line index: Int, cluster: Int, version: Int, to body: inout [UInt8]) {
        let line = lines[index]
        var randomness = Randomness(seed, UInt64(cluster), UInt64(index))
        let base = 1 + randomness.below(20)
        for (place, piece) in line.pieces.enumerated() {
            if place > 0 { randomness.appendUUID(to: &body) }
            body.append(contentsOf: text[piece])
        }
        let value = line.countIndex.map { base + changes(of: $0, cluster: cluster, version: version) } ?? 1
        body.appendDecimal(value)
        body.append(UInt8(ascii: "\n"))
    }

    /// How often a count has changed: change 1, 2, 3… of a cluster each adds one to the next of its counts.
    private func changes(of count: Int, cluster: Int, version: Int) -> Int {
        let before = cluster % counts + counts - count
        return (before + version) / counts - before / counts
    }
}

extension [UInt8] {
    /// Appends a number from 0 up as digits.
    mutating func appendDecimal(_ number: Int) {
        if number >= 10 { appendDecimal(number / 10) }
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }
}
