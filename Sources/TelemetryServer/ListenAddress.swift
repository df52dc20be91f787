// SPDX-License-Identifier: Apache-2.0

/// Where a listener listens: `:8081`, `127.0.0.1:8082`, `[::1]:8081`, `telemetry.example:80`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host name or an address; `0.0.0.0` where the text began with the colon.
    public let host: String
    /// 0 lets the system choose.
    public let port: Int

    /// Reads `host:port`; nil where the text is not that.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            self.host = String(host.dropFirst().dropLast())
        } else {
            guard !host.contains(":") else { return nil }
            self.host = host.isEmpty ? "0.0.0.0" : String(host)
        }
        self.port = Int(port)
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// The address as it is read.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
