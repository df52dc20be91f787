// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("Cluster identity")
struct ClusterIdentityTests {
    private static let uid = "6099a6ff-87bd-463b-9deb-6b8dcdc7c47b"

    /// Hashes under the key of the bytes 0 to 31.
    private static func pseudonymizer(firstByte: UInt8 = 0) throws -> Pseudonymizer {
        try #require(Pseudonymizer(key: [firstByte] + Array(1..<32)))
    }

    @Test(
        "letters, digits, dot, underscore and dash make an id",
        arguments: [uid, "a", "A-b_c.D9", "-", "..", String(repeating: "x", count: 253)]
    )
    func accepted(text: String) {
        #expect(ClusterID(text)?.text == text)
    }

    @Test(
        "anything else is no id",
        arguments: [
            "", " ", "a b", "a/b", "a:b", "a@b", "a,b", "a\n", "\u{0}", "ä", "a\u{301}", "\u{212A}", "a\"b", "a\\b",
            String(repeating: "x", count: 254),
        ]
    )
    func refused(text: String) {
        #expect(ClusterID(text) == nil)
    }

    @Test("no way of printing an id gives it away")
    func printing() throws {
        let id = try #require(ClusterID(Self.uid))
        var dumped = ""
        dump(id, to: &dumped)
        dump(["key": Optional(id)], to: &dumped)
        let texts = [
            dumped, "\(id)", String(describing: id), String(reflecting: id), "\([id])", "\(Optional(id) as Any)",
            "\((id, 1))", String(reflecting: ["id": id]), "\(Mirror(reflecting: id).children.map { $0 })",
        ]
        for text in texts { #expect(!text.contains("6099"), "\(text)") }
    }

    @Test("hashes are HMAC-SHA-256, as another implementation computes it")
    func vectors() throws {
        let pseudonymizer = try Self.pseudonymizer()
        let id = try #require(ClusterID(Self.uid))
        let short = try #require(ClusterID("a"))
        // printf 'cluster:…' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
        #expect(pseudonymizer.pseudonym(of: id).description == "0193a3dad3c4e7046f07878fa4a529a5")
        #expect(pseudonymizer.pseudonym(of: short).description == "c2aaa7044037d422674ff64d9f134223")
        #expect(pseudonymizer.replacement(for: Self.uid) == "d92cbd3ea1d48c30")
        #expect(pseudonymizer.checkValue.prefix(4) == [0x4d, 0xbc, 0x0b, 0x66])
        #expect(pseudonymizer.checkValue.count == 16)
    }

    @Test("the same id has the same pseudonym, under another key another one")
    func keys() throws {
        let (one, other) = (try Self.pseudonymizer(), try Self.pseudonymizer(firstByte: 1))
        let id = try #require(ClusterID(Self.uid))
        #expect(one.pseudonym(of: id) == (try Self.pseudonymizer()).pseudonym(of: id))
        #expect(one.pseudonym(of: id) != other.pseudonym(of: id))
        #expect(one.replacement(for: Self.uid) != other.replacement(for: Self.uid))
        #expect(one.checkValue != other.checkValue)
    }

    @Test("a cluster and a label of the same text have different hashes, and neither is the check value")
    func separation() throws {
        let pseudonymizer = try Self.pseudonymizer()
        let id = try #require(ClusterID("check"))
        let pseudonym = pseudonymizer.pseudonym(of: id)
        #expect(!pseudonym.description.hasPrefix(pseudonymizer.replacement(for: "check")))
        #expect(pseudonym.bytes != pseudonymizer.checkValue)
    }

    @Test("a replaced label is an identifier itself, so that it can be sent on")
    func replacementForm() throws {
        let replacement = try Self.pseudonymizer().replacement(for: Self.uid)
        #expect(replacement.utf8.count == 16)
        #expect(LabelForm.identifier.accepts(replacement))
    }

    @Test("a key has 32 bytes, a pseudonym 16")
    func lengths() {
        for count in [0, 16, 31, 33] { #expect(Pseudonymizer(key: Array(repeating: 7, count: count)) == nil) }
        for count in [0, 15, 17, 32] { #expect(Pseudonym(bytes: Array(repeating: 7, count: count)) == nil) }
    }

    @Test("printing a pseudonymizer shows no byte of its key")
    func keyIsNotPrinted() throws {
        let pseudonymizer = try #require(Pseudonymizer(key: Array(repeating: 0xab, count: 32)))
        var text = "\(pseudonymizer) \(String(reflecting: pseudonymizer))"
        dump(pseudonymizer, to: &text)
        #expect(!text.contains("171"))
        #expect(!text.lowercased().contains("abab"))
    }

    @Test("pseudonyms are ordered by bytes")
    func order() throws {
        #expect(try Pseudonym.numbered(1) < Pseudonym.numbered(2))
        #expect(try Pseudonym.numbered(127) < Pseudonym.numbered(128))
        #expect(try !(Pseudonym.numbered(2) < Pseudonym.numbered(2)))
    }
}
