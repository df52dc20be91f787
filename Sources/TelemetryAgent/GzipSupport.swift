// SPDX-License-Identifier: Apache-2.0

/// Whether an endpoint takes packed reports, learnt from its answers (RFC 7694).
///
/// Nothing is packed before an endpoint has said that it takes that.
struct GzipSupport: Equatable, Sendable {
    /// Whether the next report may be packed.
    private(set) var isTaken = false
    private var wasRefused = false

    /// Takes what an answer says.
    ///
    /// - Parameter codings: The values of `Accept-Encoding`.
    mutating func learn(from codings: [String]) {
        isTaken = !wasRefused && codings.joined(separator: ",").split(separator: ",").contains(where: Self.isGzip)
    }

    /// A packed report was answered 415, whatever was said before, and is again.
    mutating func refuse() {
        wasRefused = true
        isTaken = false
    }

    /// Whether a member of the list is gzip, and not `gzip;q=0`.
    private static func isGzip(_ coding: Substring) -> Bool {
        let parts = coding.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard parts.first == "gzip" || parts.first == "x-gzip" else { return false }
        return parts.dropFirst().allSatisfy { !$0.hasPrefix("q=") || (Double($0.dropFirst(2)) ?? 0) > 0 }
    }
}
