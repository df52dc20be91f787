// SPDX-License-Identifier: Apache-2.0

/// The place of a version among others, as Semantic Versioning 2.0.0 (11) has it: `v1.0.2`, `1.33`, `v1.30.0+k3s1`,
/// `v1.0.0-rc.1`.
///
/// What stands behind `+` makes no difference, so that texts that differ may be the same version.
public struct VersionNumber: Hashable, Comparable, Sendable {
    /// A part of what a pre-release is called; numbers come before names.
    private enum Identifier: Hashable, Comparable {
        case number(UInt64)
        case name(String)
    }

    /// Major, minor and patch; those that are not given are 0.
    private let numbers: [UInt64]
    /// Empty for a release.
    private let preRelease: [Identifier]

    /// Reads a version; nil for a text that is none.
    public init?(_ text: String) {
        let text = text.first == "v" ? text.dropFirst() : text[...]
        let version = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = version.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(Self.number)
        guard (1...3).contains(numbers.count), !numbers.contains(nil) else { return nil }
        self.numbers = numbers.compactMap { $0 } + Array(repeating: 0, count: 3 - numbers.count)
        let names = parts.count > 1 ? parts[1].split(separator: ".", omittingEmptySubsequences: false) : []
        guard !names.contains("") else { return nil }
        preRelease = names.map { name in Self.number(name).map(Identifier.number) ?? .name(String(name)) }
    }

    /// Whether it is no pre-release.
    public var isRelease: Bool { preRelease.isEmpty }

    /// Earlier versions come first; a pre-release comes before its release.
    public static func < (left: Self, right: Self) -> Bool {
        guard left.numbers == right.numbers else { return left.numbers.lexicographicallyPrecedes(right.numbers) }
        if left.preRelease.isEmpty || right.preRelease.isEmpty { return !left.preRelease.isEmpty && right.isRelease }
        return left.preRelease.lexicographicallyPrecedes(right.preRelease)
    }

    /// The number of ASCII digits; nil for anything else.
    private static func number(_ text: Substring) -> UInt64? {
        text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt64(text) : nil
    }
}

extension String {
    /// The successor of the version that this text names, among those that were seen: the next release above it.
    ///
    /// Of texts that name the same release it is the first one by its characters. nil where there is none above it, or
    /// where this names no version.
    package func successor(among versions: some Sequence<String>) -> String? {
        guard let version = VersionNumber(self) else { return nil }
        return
            versions
            .compactMap { text in VersionNumber(text).map { (number: $0, text: text) } }
            .filter { $0.number.isRelease && $0.number > version }
            .min { ($0.number, $0.text) < ($1.number, $1.text) }?
            .text
    }

    /// Whether this stands before another version in a list: by their order, and behind them what names no version.
    package func precedesAsVersion(_ other: String) -> Bool {
        switch (VersionNumber(self), VersionNumber(other)) {
        case (let left?, let right?): (left, self) < (right, other)
        case (nil, nil): self < other
        case (let left, _): left != nil
        }
    }
}
