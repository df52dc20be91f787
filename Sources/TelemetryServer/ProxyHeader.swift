// SPDX-License-Identifier: Apache-2.0

/// What a connection begins with where a proxy says for whom it was opened: the PROXY protocol, versions 1 and 2
/// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
enum ProxyHeader: Equatable {
    /// The connection begins with something else.
    case none
    /// More bytes are needed.
    case incomplete
    /// It begins like one and is none.
    case malformed
    /// A header of so many bytes, with the address of the sender; nil where the proxy speaks for itself, or does not say.
    case found(IPAddress?, length: Int)

    /// The longest line of version 1, with its end.
    private static let longestLine = 107
    /// The longest header of version 2 that is read; what is beyond the addresses is of no interest.
    private static let longestBlock = 2_048
    private static let lineStart = Array("PROXY ".utf8)
    private static let blockStart: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

    /// Reads the first bytes of a connection.
    init(_ bytes: some Collection<UInt8>) {
        // A few bytes more than the longest line, and no copy of what may be a whole report.
        let start = Array(bytes.prefix(Self.longestLine + 1))
        if start.starts(with: Self.lineStart) {
            self = Self.line(start)
        } else if start.starts(with: Self.blockStart) {
            self = Self.block(start, of: bytes.count)
        } else {
            let isPrefix = Self.lineStart.starts(with: start) || Self.blockStart.starts(with: start)
            self = isPrefix ? .incomplete : .none
        }
    }

    /// Reads `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443` and its like.
    private static func line(_ start: [UInt8]) -> Self {
        guard let end = start.firstIndex(of: 0x0d), end + 1 < start.count else {
            return start.count > longestLine || start.contains(0x0a) ? .malformed : .incomplete
        }
        guard start[end + 1] == 0x0a, end + 2 <= longestLine else { return .malformed }
        // Of bytes, as a blank and what is put on top of it would be one character. There are two at the least.
        let words = start[..<end].split(separator: 0x20, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        if words[1] == "UNKNOWN" { return .found(nil, length: end + 2) }
        guard words.count == 6, let source = IPAddress(words[2]), IPAddress(words[3]) != nil,
            words[4...].allSatisfy({ $0.digits(as: UInt16.self) != nil }),
            words[1] == (words[2].contains(":") ? "TCP6" : "TCP4")
        else { return .malformed }
        return .found(source, length: end + 2)
    }

    /// Reads version 2, of which so many bytes are there.
    private static func block(_ start: [UInt8], of count: Int) -> Self {
        guard start.count >= 16 else { return .incomplete }
        let (version, command) = (start[12] >> 4, start[12] & 0xf)
        let length = 16 + Int(start[14]) << 8 + Int(start[15])
        guard version == 2, command <= 1, length <= longestBlock else { return .malformed }
        guard count >= length else { return .incomplete }
        guard command == 1 else { return .found(nil, length: length) }
        // Family and transport; datagrams do not come here, and sockets of a file system have no address.
        let width: Int
        switch start[13] {
        case 0x11: width = 4
        case 0x21: width = 16
        default: return .found(nil, length: length)
        }
        guard length >= 16 + 2 * width + 4 else { return .malformed }
        return .found(IPAddress(bytes: start[16..<16 + width]), length: length)
    }
}
