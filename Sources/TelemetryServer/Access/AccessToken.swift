// SPDX-License-Identifier: Apache-2.0

public import TelemetryModel

/// What is kept of a token: everything but its secret.
public struct AccessToken: Codable, Equatable, Sendable {
    /// Its number, 12 hexadecimal digits, which is no secret.
    public let id: String
    /// What it is for, in the words of whoever made it.
    public let name: String?
    /// What its holder may do.
    public let role: Role
    /// RFC 3339, as all times here.
    public let created: String
    /// From then on it is not taken.
    public let expires: String
    /// When it was revoked.
    public var revoked: String?
    /// When it was last taken, to the minute.
    public var lastUsed: String?
    /// The SHA-256 of the secret, in hexadecimal.
    let hash: String

    private enum CodingKeys: String, CodingKey {
        case id, name, role, created, expires, revoked, hash
        case lastUsed = "last_used"
    }

    /// What may be shown of a token.
    public var shown: Shown { Shown(self) }

    /// A token without its hash.
    public struct Shown: Codable, Equatable, Sendable {
        /// Its number.
        public let id: String
        /// What it is for.
        public let name: String?
        /// What its holder may do.
        public let role: Role
        /// When it was made.
        public let created: String
        /// From then on it is not taken.
        public let expires: String
        /// When it was revoked; nil where it was not.
        public let revoked: String?
        /// When it was last taken, to the minute; nil where it never was.
        public let lastUsed: String?

        fileprivate init(_ token: AccessToken) {
            id = token.id
            name = token.name
            role = token.role
            created = token.created
            expires = token.expires
            revoked = token.revoked
            lastUsed = token.lastUsed
        }

        private enum CodingKeys: String, CodingKey {
            case id, name, role, created, expires, revoked
            case lastUsed = "last_used"
        }
    }

    /// Whether a text has the form of a token's number.
    public static func isID(_ text: String) -> Bool {
        text.utf8.count == 2 * TokenText.idLength && bytes(ofHexadecimal: text) != nil
    }

    /// Whether a text may be a name: up to 100 characters, none of them a control character.
    public static func isName(_ text: String) -> Bool {
        (1...100).contains(text.unicodeScalars.count)
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    /// Whether the token is taken.
    func isTaken(at instant: UTCInstant) -> Bool {
        // Times of the same form are ordered as texts are.
        revoked == nil && instant.rfc3339 < expires
    }
}

/// A token that was just made and that nobody has yet.
public struct NewToken: Sendable {
    /// The token itself, to be shown once.
    public let text: String
    /// What is kept of it.
    let kept: AccessToken

    /// Makes a token from random bytes of the system's.
    public init(_ role: Role, for lifetime: TokenLifetime, name: String?, at instant: UTCInstant) {
        var random = SystemRandomNumberGenerator()
        let token = TokenText(random: &random)
        text = token.text
        kept = AccessToken(
            id: token.id,
            name: name,
            role: role,
            created: instant.rfc3339,
            expires: instant.advanced(bySeconds: lifetime.seconds).rfc3339,
            hash: token.hash
        )
    }

    /// What may be shown of it at any time.
    public var shown: AccessToken.Shown { kept.shown }
}

/// A token as it is shown once and sent with every request: `cozytel_`, its number, `_`, and a secret of 256 random bits.
struct TokenText: Equatable {
    /// Bytes of the number.
    static let idLength = 6
    /// Bytes of the secret.
    static let secretLength = 32

    let id: String
    private let secret: [UInt8]

    private static let prefix = "cozytel_"

    /// A new one.
    init(random: inout some RandomNumberGenerator) {
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) } }
        id = hexadecimal(bytes(Self.idLength))
        secret = bytes(Self.secretLength)
    }

    /// Reads one; nil where the text is none.
    init?(_ text: some StringProtocol) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, AccessToken.isID(String(parts[0])), let secret = bytes(ofHexadecimal: String(parts[1])),
            secret.count == Self.secretLength
        else { return nil }
        id = String(parts[0])
        self.secret = secret
    }

    /// The token.
    var text: String { "\(Self.prefix)\(id)_\(hexadecimal(secret))" }

    /// The SHA-256 of the secret, in hexadecimal.
    var hash: String { hexadecimal(sha256(secret)) }

    /// Whether the secret has a hash; how long that takes says nothing of either.
    func matches(_ other: String) -> Bool {
        let (left, right) = (Array(hash.utf8), Array(other.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// For how long a token is good: `90d`, `12h`, up to ten years.
public struct TokenLifetime: Equatable, Sendable {
    /// In seconds.
    let seconds: Int64

    /// 90 days.
    public static let standard = Self(seconds: 90 * 86_400)

    private init(seconds: Int64) { self.seconds = seconds }

    /// Reads a number with `h` or `d`; nil for anything else, and for none or more than ten years.
    public init?(_ text: String) {
        guard let unit = text.last, let scale = ["h": Int64(3_600), "d": 86_400][String(unit)],
            text.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int64(text.dropLast()),
            (1...87_600).contains(number), number * scale <= 3_653 * 86_400
        else { return nil }
        seconds = number * scale
    }
}
