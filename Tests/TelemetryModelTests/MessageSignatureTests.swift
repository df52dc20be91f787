// SPDX-License-Identifier: Apache-2.0

import FleetSimulator
import TelemetryModel
import Testing

@Suite("Message signatures")
struct MessageSignatureTests {
    private static let now = UTCInstant(2026, 3, 1)
    private static let body = Array("cozy_tenants_count 2\n".utf8)

    /// A request as it is sent.
    private struct Sent {
        var method = "POST"
        var path = "/"
        var body = MessageSignatureTests.body
        var cluster: ClusterID
        /// `Content-Digest`, `Signature-Input` and `Signature`.
        var fields: [String]

        init(_ key: ClusterKey, at instant: UTCInstant = now, tag: MessageSignature.Tag = .report) throws {
            let nonce = Array(repeating: UInt8(7), count: 16)
            let headers = try key.signedHeaders(
                method: method,
                path: path,
                body: body,
                at: instant,
                nonce: nonce,
                tag: tag
            )
            cluster = key.clusterID
            fields = headers.dropFirst().map(\.value)
        }

        /// Why it is refused; nil where it is not.
        func failure(at now: UTCInstant = MessageSignatureTests.now) -> SignatureError? {
            do throws(SignatureError) {
                let signature = try MessageSignature(
                    contentDigest: fields[0],
                    signatureInput: fields[1],
                    signature: fields[2]
                )
                try signature.verify(method: method, path: path, body: body, cluster: cluster, at: now)
                return nil
            } catch {
                return error
            }
        }

        /// With another text in one of the fields.
        func replacing(_ text: String, with other: String, in field: Int = 1) -> Self {
            var copy = self
            copy.fields[field] = fields[field].replacing(text, with: other)
            return copy
        }
    }

    @Test("a seed has 32 bytes and gives the same key again")
    func seeds() throws {
        for count in [0, 31, 33, 64] { #expect(ClusterKey(seed: Array(repeating: 1, count: count)) == nil) }
        let key = ClusterKey()
        #expect(try #require(ClusterKey(seed: key.seed)).clusterID == key.clusterID)
        #expect(ClusterKey().clusterID != key.clusterID)
    }

    @Test("a derived id is of version 8 and of its own key")
    func derivedIDs() {
        for _ in 0..<100 {
            let id = ClusterKey().clusterID
            #expect(id.isVersion8)
            #expect(ClusterID(id.text) == id)
            #expect(id != ClusterKey().clusterID)
        }
    }

    @Test("only a UUID of version 8 is one, in whatever case")
    func versions() throws {
        for text in ["b16c2d1b-ead1-8626-b976-4fdb0ee4d377", "B16C2D1B-EAD1-8626-B976-4FDB0EE4D377"] {
            #expect(try #require(ClusterID(text)).isVersion8)
        }
        for text in [
            "b16c2d1b-ead1-4626-b976-4fdb0ee4d377", "b16c2d1b-ead1-8626-c976-4fdb0ee4d377", "a",
            "b16c2d1b.ead1.8626.b976.4fdb0ee4d377", "g16c2d1b-ead1-8626-b976-4fdb0ee4d377",
            "b16c2d1bead18626b9764fdb0ee4d377",
        ] {
            #expect(try !#require(ClusterID(text)).isVersion8, "\(text)")
        }
    }

    @Test("what was signed is verified, and nothing else")
    func covers() throws {
        let sent = try Sent(ClusterKey())
        #expect(sent.failure() == nil)
        var (method, path, body, cluster) = (sent, sent, sent, sent)
        method.method = "DELETE"
        path.path = "/v1/cluster"
        body.body.append(10)
        cluster.cluster = ClusterKey().clusterID
        #expect(method.failure() == .wrong)
        #expect(path.failure() == .wrong)
        #expect(body.failure() == .otherBody)
        #expect(cluster.failure() == .otherKey)
        #expect(sent.replacing("tag=\"cozy-telemetry\"", with: "tag=\"cozy-telemetry-bundle\"").failure() == .wrong)
        let seconds = Self.now.secondsSinceEpoch
        #expect(sent.replacing("\(seconds)", with: "\(seconds + 1)").failure() == .wrong)
    }

    @Test("another key's signature under the id is not taken, nor under its own keyid")
    func otherKeys() throws {
        let (own, other) = (try Sent(ClusterKey()), try Sent(ClusterKey()))
        var taken = own
        taken.fields = other.fields
        #expect(taken.failure() == .otherKey)
        taken.fields[1] = own.fields[1]
        #expect(taken.failure() == .wrong)
    }

    @Test("an hour either way is taken, 30 days of a carried report, and no second more")
    func time() throws {
        let key = ClusterKey()
        for (tag, age) in [(MessageSignature.Tag.report, Int64(3_600)), (.bundle, 2_592_000)] {
            let sent = try Sent(key, tag: tag)
            #expect(sent.failure(at: Self.now.advanced(bySeconds: age)) == nil)
            #expect(sent.failure(at: Self.now.advanced(bySeconds: age + 1)) == .stale(tag))
            #expect(sent.failure(at: Self.now.advanced(bySeconds: -3_600)) == nil)
            #expect(sent.failure(at: Self.now.advanced(bySeconds: -3_601)) == .early)
        }
    }

    @Test(
        "another form of what is signed is refused with what is wrong",
        arguments: [
            ("sig1=", "", .malformed(field: "Signature-Input")), ("sig1", "Sig", .malformed(field: "Signature-Input")),
            ("(", "", .malformed(field: "Signature-Input")), (")", "", .malformed(field: "Signature-Input")),
            ("sig1", "sig2", .malformed(field: "Signature")), ("\"@path\" ", "", .otherComponents),
            ("\"@path\"", "\"@method\"", .otherComponents), ("\"@path\"", "\"@path\" \"date\"", .otherComponents),
            ("\"@path\"", "\"@authority\"", .otherComponents), ("\" \"", "\"  \"", .otherComponents),
            ("\"@path\"", "@path", .otherComponents), ("\"@path\"", "\"@path\";req", .otherComponents),
            (";alg=\"ed25519\"", "", .otherParameters), ("\"ed25519\"", "\"rsa-v1_5-sha256\"", .otherParameters),
            (";alg", ";expires=1;alg", .otherParameters), (";alg", ";alg=\"ed25519\";alg", .otherParameters),
            (";alg", ",sig2=();alg", .otherParameters), ("created=", "created=-", .otherParameters),
            ("created=1", "created=1111111", .otherParameters), ("created=", "created=\"", .otherParameters),
            ("nonce=\"", "nonce=\"\\\"", .otherParameters), ("keyid=\"", "keyid=\"AAAA", .otherParameters),
            ("tag=\"cozy-telemetry\"", "tag=\"other\"", .otherParameters), (";tag", "; tag", .otherParameters),
            ("\"@method\"", "\"@method\"\u{e9}", .malformed(field: "Signature-Input")),
        ] as [(String, String, SignatureError)]
    )
    func forms(text: String, other: String, error: SignatureError) throws {
        #expect(try Sent(ClusterKey()).replacing(text, with: other).failure() == error)
    }

    @Test("digest and signature have one form each")
    func byteSequences() throws {
        let sent = try Sent(ClusterKey())
        let digest = SignatureError.malformed(field: "Content-Digest")
        for (text, other) in [
            ("sha-256", "sha-512"), ("=:", "="), ("sha", " sha"), ("=:", "=:A"), ("=:", "=:\u{301}"), ("sha-256=:", ""),
        ] {
            #expect(sent.replacing(text, with: other, in: 0).failure() == digest, "\(other)")
        }
        var two = sent
        two.fields[0] += ", " + sent.fields[0]
        #expect(two.failure() == digest)
        #expect(sent.replacing("=:", with: "=:AAAA", in: 2).failure() == .malformed(field: "Signature"))
    }

    @Test("random changes are refused and never a crash")
    func mutations() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let sent = try Sent(ClusterKey())
        for _ in 0..<5_000 {
            var changed = sent
            let field = Int.random(in: 0..<3, using: &generator)
            var bytes = Array(sent.fields[field].utf8)
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[position] = .random(in: 0...255, using: &generator)
                case 1: bytes.insert(.random(in: 0...255, using: &generator), at: position)
                case 2: bytes = Array(bytes[..<position]) + [UInt8(ascii: "\"")]
                default: bytes[position] ^= 0x20
                }
            }
            changed.fields[field] = String(decoding: bytes, as: UTF8.self)
            if changed.fields != sent.fields { #expect(changed.failure() != nil, "seed \(seed)") }
        }
    }

    @Test("no way of printing a key or a signature gives it away")
    func printing() throws {
        let key = try #require(ClusterKey(seed: Array(repeating: 0xab, count: 32)))
        let sent = try Sent(key)
        let signature = try MessageSignature(
            contentDigest: sent.fields[0],
            signatureInput: sent.fields[1],
            signature: sent.fields[2]
        )
        var text = "\(key) \(String(reflecting: key)) \(signature) \(String(reflecting: signature))"
        dump(key, to: &text)
        dump(signature, to: &text)
        for secret in ["171", "abab", signature.nonce, "\(signature.publicKey[0])"] { #expect(!text.contains(secret)) }
    }
}
