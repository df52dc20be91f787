// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel

/// The clusters that report, and what each has reported last.
struct Fleet {
    private var template: ReportTemplate
    private var signer: Signer
    /// The head of every request up to the length of its body, cut where the cluster's identifier goes.
    private let head: [[UInt8]]
    /// The same of a signed request, whose signer adds the rest.
    private let signedHead: [[UInt8]]
    private let seed: UInt64
    /// How often a count of each cluster has changed, two bytes a cluster.
    private var versions: [UInt16] = []
    private var identifier: [UInt8] = []
    private var body: [UInt8] = []

    /// A fleet that reports to a target.
    init(target: Target) throws {
        template = try ReportTemplate(file: target.body, seed: target.seed)
        seed = target.seed
        signer = Signer(target: target)
        let lines = ["\(target.method) \(target.path) HTTP/1.1", "Host: \(target.host):\(target.port)"]
        let unsigned = target.headers.filter { !$0.lowercased().hasPrefix("x-cluster-id:") }
        head = Self.split((lines + target.headers).joined(separator: "\r\n") + "\r\nContent-Length: ")
        signedHead = Self.split((lines + unsigned).joined(separator: "\r\n") + "\r\nContent-Length: ")
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
    /// - Throws: What the cryptographic library throws where it cannot sign.
    mutating func write(request number: Int, of phase: Phase, salt: UInt64, to request: inout [UInt8]) throws -> Int {
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
        try writeHead(cluster: cluster, isSigned: phase.signed, to: &request)
        request += body
        return body.count
    }

    /// The cluster that reports as the `number`th of a round: all do once, and neighbours do not follow each other.
    private static func place(of number: Int, among clusters: Int) -> Int {
        let stride = 7_919
        return clusters % stride == 0 ? number : number * stride % clusters
    }

    private mutating func writeHead(cluster: Int, isSigned: Bool, to request: inout [UInt8]) throws {
        identifier.removeAll(keepingCapacity: true)
        if isSigned {
            identifier += try signer.id(of: cluster).utf8
        } else {
            var randomness = Randomness(seed, UInt64(cluster))
            randomness.appendUUID(to: &identifier)
        }
        request.removeAll(keepingCapacity: true)
        for (place, part) in (isSigned ? signedHead : head).enumerated() {
            if place > 0 { request += identifier }
            request += part
        }
        request.appendDecimal(body.count)
        request += [13, 10]
        if isSigned {
            let now = UTCInstant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
            request += try signer.lines(cluster: cluster, body: body, at: now).utf8
        }
        request += [13, 10]
    }
}
