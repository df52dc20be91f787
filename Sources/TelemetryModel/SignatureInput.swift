// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What `Signature-Input` says: what is signed, by whom, when (RFC 9421, 4.1).
struct SignatureInput: Equatable, Sendable {
    /// A part of a request that is signed.
    enum Component: String, CaseIterable {
        case method = "@method"
        case path = "@path"
        case digest = "content-digest"
        case cluster = "x-cluster-id"
    }

    /// The name that the signature has in both fields.
    let label: String
    /// The list of components with its parameters, as it was sent; it is signed too.
    let parameters: String
    let components: [Component]
    let publicKey: [UInt8]
    let created: UTCInstant
    let nonce: String
    let tag: MessageSignature.Tag

    /// What a signature that is about to be made says.
    init(publicKey: [UInt8], created: UTCInstant, nonce: String, tag: MessageSignature.Tag) {
        label = "sig1"
        components = Component.allCases
        self.publicKey = publicKey
        self.created = created
        self.nonce = nonce
        self.tag = tag
        let names = components.map { "\"\($0.rawValue)\"" }.joined(separator: " ")
        parameters =
            "(\(names));created=\(created.secondsSinceEpoch);nonce=\"\(nonce)\""
            + ";keyid=\"\(Data(publicKey).base64EncodedString())\";alg=\"ed25519\";tag=\"\(tag.rawValue)\""
    }

    /// Reads the value of the field: one signature over the four components in any order, with the five parameters in
    /// any order, written the way that RFC 9651 writes them.
    init(_ text: String) throws(SignatureError) {
        let malformed = SignatureError.malformed(field: "Signature-Input")
        guard text.utf8.count <= 1_024, text.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7f }),
            let equals = text.firstIndex(of: "="), Self.isLabel(text[..<equals])
        else { throw malformed }
        let value = text[equals...].dropFirst()
        guard value.first == "(", let end = value.firstIndex(of: ")") else { throw malformed }
        label = String(text[..<equals])
        parameters = String(value)
        components = try Self.components(value[..<end].dropFirst())
        let given = try Self.parameters(value[end...].dropFirst())
        guard given.count == 5, let created = given["created"].flatMap(Self.instant),
            let nonce = given["nonce"].flatMap(Self.unquoted), (1...64).contains(nonce.utf8.count),
            let keyID = given["keyid"].flatMap(Self.unquoted), let publicKey = decodedBase64(keyID, count: 32),
            given["alg"] == "\"ed25519\"",
            let tag = given["tag"].flatMap(Self.unquoted).flatMap({ MessageSignature.Tag(rawValue: String($0)) })
        else { throw .otherParameters }
        self.created = created
        self.nonce = String(nonce)
        self.publicKey = publicKey
        self.tag = tag
    }

    /// What is signed (RFC 9421, 2.5).
    func base(method: String, path: String, digest: [UInt8], cluster: ClusterID) -> Data {
        var base = ""
        for component in components {
            let value =
                switch component {
                case .method: method
                case .path: path
                case .digest: contentDigest(digest)
                case .cluster: cluster.text
                }
            base += "\"\(component.rawValue)\": \(value)\n"
        }
        return Data((base + "\"@signature-params\": \(parameters)").utf8)
    }

    private static func isLabel(_ text: Substring) -> Bool {
        guard let first = text.first, first.isLowercase, text.utf8.count <= 64 else { return false }
        return text.allSatisfy { $0.isLowercase || $0.isNumber || "_-.*".contains($0) }
    }

    private static func components(_ list: Substring) throws(SignatureError) -> [Component] {
        let names = list.split(separator: " ", omittingEmptySubsequences: false)
        let components = names.compactMap { unquoted($0).flatMap { Component(rawValue: String($0)) } }
        guard components.count == names.count, components.count == Component.allCases.count,
            Set(components).count == components.count
        else { throw .otherComponents }
        return components
    }

    /// The parameters by name, `;name=value` one after the other; a value holds no semicolon.
    private static func parameters(_ text: Substring) throws(SignatureError) -> [Substring: Substring] {
        var given: [Substring: Substring] = [:]
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.first == "" else { throw .otherParameters }
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "="), given[part[..<equals]] == nil else { throw .otherParameters }
            given[part[..<equals]] = part[equals...].dropFirst()
        }
        return given
    }

    private static func instant(_ text: Substring) -> UTCInstant? {
        guard (1...15).contains(text.utf8.count), text.allSatisfy(\.isNumber) else { return nil }
        return Int64(text).map(UTCInstant.init(secondsSinceEpoch:))
    }

    /// What stands between two quotation marks and holds none, nor an escape.
    private static func unquoted(_ text: Substring) -> Substring? {
        guard text.utf8.count >= 2, text.first == "\"", text.last == "\"" else { return nil }
        let inner = text.dropFirst().dropLast()
        return inner.contains { $0 == "\"" || $0 == "\\" } ? nil : inner
    }
}
