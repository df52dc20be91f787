// SPDX-License-Identifier: Apache-2.0

/// The clusters that report, and what each has reported last.
struct Fleet {
    private var template: ReportTemplate
    /// The head of every request up to the length of its body, cut where the cluster's identifier goes.
    private let head: [[UInt8]]
    private let seed: UInt64
    /// How often a count of each cluster has changed, two bytes a cluster.
    private var versions: [UInt16] = []
    private var identifier: [UInt8] = []
    private var body: [UInt8] = []

    /// A fleet that reports to a target.
    init(target: Target) throws {
        template = try ReportTemplate(file: target.body, seed: target.seed)
        seed = target.seed
        let lines =
            ["\(target.method) \(target.path) HTTP/1.1", "Host: \(target.host):\(target.port)"] + target.headers
        head = Self.split(lines.joined(separator: "\r\n") + "\r\nContent-Length: ")
    }

    /// The parts of a text around `{id}`.
    private static func split(_ text: String) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var rest = Substring(text)
        while let character = rest.first {
            if rest.hasPrefix("{id}") {
                parts.append([])
                rest = rest.dropFirst(4)
            } else {
                parts[parts.count - 1] += Array(String(character).utf8)
                rest = rest.dropFirst()
            }
        }
        return parts
    }

    /// Writes a phase's request.
    ///
    /// - Parameters:
    ///   - number: The request's place in the phase, from 0.
    ///   - phase: The phase.
    ///   - salt: What tells this phase from others.
    ///   - request: Where the request goes; it is emptied first.
    /// - Returns: The length of its body.
    mutating func write(request number: Int, of phase: Phase, salt: UInt64, to request: inout [UInt8]) -> Int {
        let cluster = phase.first + Self.place(of: number % phase.clusters, among: phase.clusters)
        if cluster >= versions.count {
            versions += Array(repeating: 0, count: phase.first + phase.clusters - versions.count)
        }
        let shuffle = salt << 40 | UInt64(number)
        var randomness = Randomness(seed, shuffle)
        if phase.changed > 0, Double(randomness.below(1_000_000)) < phase.changed * 1_000_000 {
            versions[cluster] &+= 1
        }
        template.write(
            cluster: cluster,
            version: Int(versions[cluster]),
            shuffle: phase.shuffled ? shuffle : nil,
            to: &body
        )
        writeHead(cluster: cluster, to: &request)
        request += body
        return body.count
    }

    /// The cluster that reports as the `number`th of a round: all do once, and neighbours do not follow each other.
    private static func place(of number: Int, among clusters: Int) -> Int {
        let stride = 7_919
        return clusters % stride == 0 ? number : number * stride % clusters
    }

    private mutating func writeHead(cluster: Int, to request: inout [UInt8]) {
        identifier.removeAll(keepingCapacity: true)
        var randomness = Randomness(seed, UInt64(cluster))
        randomness.appendUUID(to: &identifier)
        request.removeAll(keepingCapacity: true)
        for (place, part) in head.enumerated() {
            if place > 0 { request += identifier }
            request += part
        }
        request.appendDecimal(body.count)
        request += [13, 10, 13, 10]
    }
}
