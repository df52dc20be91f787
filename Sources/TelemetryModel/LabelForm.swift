// SPDX-License-Identifier: Apache-2.0

/// The allowed form of a label's value.
///
/// A value of another form is counted and becomes `other`.
public enum LabelForm: Hashable, Sendable {
    /// A version: an optional `v`, then numbers with dots, then a suffix of letters, digits, `.`, `-`, `+`, `_`; or empty.
    case version
    /// `true`, `false` or empty.
    case boolean
    /// A name of letters, digits, `-` and `_` that begins with a letter, up to 63 bytes; or empty.
    case name
    /// Names separated by commas (and blanks), up to 1,024 bytes; or empty.
    case nameList
    /// A dotted name in lower case as Kubernetes names objects (RFC 1123 subdomain), up to 253 bytes.
    case dottedName
    /// An operating system and its image, `linux (Talos (v1.8.4))`, up to 128 printable characters.
    case operatingSystem
    /// `cpu`, `memory` or `nvidia.com/NAME`.
    case resource
    /// One of the size groups of volumes.
    case sizeGroup
    /// An identifier, `[A-Za-z0-9._-]{1,253}`.
    case identifier

    /// Whether a value has this form.
    public func accepts(_ value: String) -> Bool {
        let bytes = value.utf8
        switch self {
        case .version: return value.isEmpty || Self.isVersion(bytes)
        case .boolean: return value.isEmpty || value == "true" || value == "false"
        case .name: return value.isEmpty || Self.isName(bytes)
        case .nameList: return bytes.count <= 1_024 && Self.isNameList(bytes)
        case .dottedName: return Self.isDottedName(bytes)
        case .operatingSystem: return Self.isOperatingSystem(value)
        case .resource: return Self.isResource(value)
        case .sizeGroup: return SizeGroup(rawValue: value) != nil
        case .identifier: return (1...253).contains(bytes.count) && bytes.allSatisfy(Self.isIdentifierByte)
        }
    }

    /// The form in words, for documentation and errors.
    public var explanation: String {
        switch self {
        case .version: "a version (`v1.31.4`, `6.6.64-talos`) of up to 64 bytes, or empty"
        case .boolean: "`true`, `false` or empty"
        case .name: "a name of letters, digits, `-` and `_` that begins with a letter, up to 63 bytes, or empty"
        case .nameList: "names separated by commas, up to 1,024 bytes, or empty"
        case .dottedName: "a dotted lower-case name (RFC 1123 subdomain), up to 253 bytes"
        case .operatingSystem: "an operating system and its image in parentheses, up to 128 printable characters"
        case .resource: "`cpu`, `memory` or `nvidia.com/` and a name"
        case .sizeGroup: SizeGroup.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        case .identifier: "letters, digits, `.`, `_` and `-`, 1 to 253 bytes"
        }
    }

    /// Whether a byte may stand in an identifier.
    static func isIdentifierByte(_ byte: UInt8) -> Bool {
        byte < 128 && identifierBytes >> UInt128(byte) & 1 == 1
    }

    /// A bit for each byte that may stand in an identifier.
    private static let identifierBytes: UInt128 = (UInt8(0)..<128).reduce(0) { bits, byte in
        let isOne = isLetter(byte) || isDigit(byte) || Array("._-".utf8).contains(byte)
        return isOne ? bits | 1 << UInt128(byte) : bits
    }

    private static func isVersion(_ bytes: String.UTF8View) -> Bool {
        let digits = bytes.first == UInt8(ascii: "v") ? bytes.dropFirst() : bytes[...]
        guard bytes.count <= 64, let first = digits.first, isDigit(first), !isAddress(bytes), !isHostName(bytes)
        else { return false }
        return digits.allSatisfy { isIdentifierByte($0) || $0 == UInt8(ascii: "+") }
    }

    private static func isName(_ bytes: some Collection<UInt8>) -> Bool {
        guard bytes.count <= 63, let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func isNameList(_ bytes: String.UTF8View) -> Bool {
        bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true).allSatisfy { element in
            let words = element.split(separator: UInt8(ascii: " "))
            return words.count <= 1 && words.allSatisfy { isName($0) }
        }
    }

    private static func isDottedName(_ bytes: String.UTF8View) -> Bool {
        guard (1...253).contains(bytes.count), !isAddress(bytes) else { return false }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, let last = part.last else { return false }
            return part.allSatisfy { isLowerCase($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
                && first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
        }
    }

    private static func isOperatingSystem(_ value: String) -> Bool {
        let bytes = value.utf8
        guard (1...128).contains(bytes.count), let first = bytes.first, isLetter(first) else { return false }
        let withoutNames = value.replacing("GNU/Linux", with: "")
        let punctuation = Array(" ._+()-,".utf8)
        return withoutNames.utf8.allSatisfy { isLetter($0) || isDigit($0) || punctuation.contains($0) }
            && !bytes.split(whereSeparator: { !isDigit($0) && $0 != UInt8(ascii: ".") }).contains(where: hasAddress)
            && !bytes.split(whereSeparator: { " ()_+,".utf8.contains($0) }).contains { isHostName($0) }
    }

    private static func isResource(_ value: String) -> Bool {
        if value == "cpu" || value == "memory" { return true }
        let prefix = "nvidia.com/"
        let name = value.utf8.dropFirst(prefix.utf8.count)
        return value.hasPrefix(prefix) && (1...63).contains(name.count) && name.allSatisfy(isIdentifierByte)
            && !isHostName(name)
    }

    /// Whether the text reads like the name of a host: parts with dots between, the last one a word, as in
    /// `node1.example.org`.
    ///
    /// What begins with two numbers is a version whose suffix is a word, as in `1.0.0-alpha.dirty`.
    private static func isHostName(_ bytes: some Collection<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."))
        guard parts.count > 1, let last = parts.last, last.count > 1, last.allSatisfy(isLetter) else { return false }
        let first = parts[0].first == UInt8(ascii: "v") ? parts[0].dropFirst() : parts[0]
        return !(first.allSatisfy(isDigit) && parts[1].first.map(isDigit) == true)
    }

    /// Whether the text is an IPv4 address.
    private static func isAddress(_ bytes: some Collection<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8(String(decoding: $0, as: UTF8.self)) != nil }
    }

    /// Whether digits and dots are an IPv4 address with dots around it or none.
    private static func hasAddress(_ bytes: Substring.UTF8View) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."))
        return isAddress(Array(parts.joined(separator: [UInt8(ascii: ".")])))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        isLowerCase(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isLowerCase(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
