// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import Testing

@Suite("docs/identity.md")
struct IdentityVectorTests {
    /// A request of the page.
    private struct Example {
        let method: String
        let path: String
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        init(_ text: Substring) throws {
            let parts = text.split(separator: "\n\n", maxSplits: 1)
            let lines = try #require(parts.first).split(separator: "\n")
            let request = try #require(lines.first).split(separator: " ").map(String.init)
            (method, path) = (request[0], request[1])
            headers = try lines.dropFirst().map { line in
                let colon = try #require(line.firstRange(of: ": "))
                return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
            }
            body = parts.count == 2 ? Array(parts[1].utf8) : []
        }

        func value(_ name: String) throws -> String { try #require(headers.first { $0.name == name }).value }
    }

    private static func page() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/identity.md"), encoding: .utf8)
    }

    private static func bytes(_ digits: Substring) -> [UInt8] {
        stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
    }

    /// The key of the page, whose other facts are those that it has there.
    private static func key(_ page: String) throws -> ClusterKey {
        let seed = try #require(page.firstMatch(of: /\| seed \| `([0-9a-f]{64})` \|/)).1
        let key = try #require(ClusterKey(seed: bytes(seed)))
        #expect(page.contains("| public key | `\(hexadecimal(key.publicKey))` |"))
        #expect(page.contains("| its SHA-256 | `\(hexadecimal(sha256(key.publicKey)))` |"))
        #expect(page.contains("| cluster id | `\(key.clusterID.text)` |"))
        return key
    }

    @Test("every request of the page is verified, and signed again it is the same")
    func examples() throws {
        let page = try Self.page()
        let key = try Self.key(page)
        let examples = try page.matches(of: /```http\n(.*?)```/.dotMatchesNewlines()).map { try Example($0.1) }
        #expect(examples.map(\.method) == ["POST", "POST", "DELETE"])
        for example in examples {
            let cluster = try #require(ClusterID(try example.value("X-Cluster-ID")))
            let signature = try MessageSignature(
                contentDigest: example.value("Content-Digest"),
                signatureInput: example.value("Signature-Input"),
                signature: example.value("Signature")
            )
            try signature.verify(
                method: example.method,
                path: example.path,
                body: example.body,
                cluster: cluster,
                at: signature.created
            )
            let headers = try key.signedHeaders(
                method: example.method,
                path: example.path,
                body: example.body,
                at: signature.created,
                nonce: Array(try #require(Data(base64Encoded: signature.nonce))),
                tag: signature.tag
            )
            for (name, value) in headers { #expect(try example.value(name) == value) }
        }
    }
}
